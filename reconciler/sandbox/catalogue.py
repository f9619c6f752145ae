"""The simulated providers. A new one joins with its package and one row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.sandbox.clock import Clock
from reconciler.sandbox.contactcenter import ContactCenter
from reconciler.sandbox.exotel import Exotel
from reconciler.sandbox.intelepeer import IntelePeer
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.provider import Provider
from reconciler.sandbox.slicktext import SlickText

PROVIDERS: Mapping[str, Callable[[Clock, Ledger], Provider[Any]]] = {
    SlickText.name: SlickText,
    IntelePeer.name: IntelePeer,
    Exotel.name: Exotel,
    ContactCenter.name: ContactCenter,
}
