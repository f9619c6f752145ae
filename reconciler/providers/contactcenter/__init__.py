"""Contact centre campaigns: leads of dialling campaigns, on portals that share one API (port 9443).

What shapes this package, from the contact centre API notes:

* A campaign is made, started and stopped in the portal. Here it is looked up, by id or by a name that only it has.
* A lead is somebody in a campaign. It can be added, deleted, and given a status; nothing else of it can be written.
* Adding answers with no id, is not idempotent, and in a campaign that is not stopped means a telephone call.
* Enumerations are proven against the campaign's own count; nothing is planned on less.
* A token that died may be answered with 400 as well as with 401.

``client`` has one function an endpoint, ``calls`` the writes as data, ``convert``, ``leads`` and ``activity`` know the
wire, ``rules`` is the pure half, ``session`` does the I/O, ``operations`` lists every endpoint for ``reconciler call``.
"""

from reconciler.providers.contactcenter.codes import CODES
from reconciler.providers.contactcenter.provider import ContactCenter

PROVIDER = ContactCenter()

__all__ = ["CODES", "PROVIDER", "ContactCenter"]
