"""The providers of the suite. A new one joins with a module here that makes a ``Contract``: its manifests, and what is
special about it."""

from __future__ import annotations

from participants.acme import ACME
from participants.contactcenter import CONTACTCENTER
from participants.exotel import EXOTEL
from participants.intelepeer import INTELEPEER
from participants.slicktext import SLICKTEXT

CONTRACTS = (SLICKTEXT, INTELEPEER, EXOTEL, CONTACTCENTER, ACME)
