"""The functional core: from Desired, Live and Inventory to one Plan. No network, file, clock or randomness in here."""
