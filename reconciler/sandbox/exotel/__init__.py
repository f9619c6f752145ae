"""Exotel Campaigns (paths below ``/v2/accounts``), simulated.

"Item n" in docstrings of this package is the n-th item of the simulator contract in the Exotel API notes, "E n" an
endpoint of theirs. Answers that the vendor's documents do not print are decisions taken there, adjustable by
``ExotelKnobs``.
"""

from reconciler.sandbox.exotel.knobs import ExotelKnobs
from reconciler.sandbox.exotel.provider import Exotel

__all__ = ["Exotel", "ExotelKnobs"]
