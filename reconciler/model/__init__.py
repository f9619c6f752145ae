"""The nouns: addresses, resources, contact sets, Desired, Live, Inventory. Frozen values, no I/O."""
