"""IntelePeer Engage (paths below ``/_rest``), simulated.

"Item n" in docstrings of this package is the n-th item of the simulator contract in the IntelePeer API notes, "E n" an
endpoint there. Texts and codes that the vendor's documents do not print are decisions taken there; no client may rely
on them.
"""

from reconciler.sandbox.intelepeer.knobs import IntelePeerKnobs
from reconciler.sandbox.intelepeer.provider import IntelePeer

__all__ = ["IntelePeer", "IntelePeerKnobs"]
