"""SlickText (API v2, served below ``/v1``): lists, contacts and text campaigns of one brand.

What shapes this package, from the SlickText API notes:

* A contact exists apart from its lists and is found by number; lists are filled by contact id, in chunks.
* An association is a list in a campaign's audience, written whole with the campaign.
* Whatever a membership call answers, only reading the list again tells what it did.
* Nothing here writes the status ``send``, deletes a contact, or touches anybody's consent.

``client`` reads, ``calls`` holds the writes as data, ``convert`` and ``contacts`` know the wire, ``rules`` is the pure
half, ``session`` does the I/O, ``operations`` lists every endpoint for ``reconciler call``.
"""

from reconciler.providers.slicktext.codes import CODES
from reconciler.providers.slicktext.provider import SlickTextProvider

PROVIDER = SlickTextProvider()

__all__ = ["CODES", "PROVIDER", "SlickTextProvider"]
