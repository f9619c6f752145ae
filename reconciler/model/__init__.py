"""The nouns: addresses, resources, contact sets, Desired, Live, Inventory. Frozen values, no I/O."""

import os

# Polars' allocator (jemalloc) keeps what is freed apart for every few threads, of which we have many that each hold a
# few MiB for a moment: what one freed another could not use, and a third of a comparison's memory and a tenth of its
# time were that. Read once, when Polars is imported for the first time; who says something else is heard.
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1")
