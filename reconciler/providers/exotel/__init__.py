"""Exotel (v2 accounts API): lists, contacts and call campaigns of one account.

What shapes this package, from the Exotel API notes:

* A bulk answer (HTTP 207) judges every item: nothing is done until its own item says so, whatever the status.
* A contact is found by creating it: the answer names the contact that exists already. Lists take contact ids only.
* A campaign is created together with its lists and starts by itself at its ``send_at``: creating it is arming it.
* Nothing here deletes a contact, sends a campaign without a ``send_at``, or follows an address out of an answer.

``client`` reads, ``calls`` holds the writes as data, ``answers`` and ``convert`` know the wire, ``rules`` is the pure
half, ``session`` does the I/O, ``operations`` lists every endpoint for ``reconciler call``.
"""

from reconciler.providers.exotel.codes import CODES
from reconciler.providers.exotel.provider import ExotelProvider

PROVIDER = ExotelProvider()

__all__ = ["CODES", "PROVIDER", "ExotelProvider"]
