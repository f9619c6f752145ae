"""IntelePeer Engage: campaigns, campaign lists, their associations, and (opt-in) contacts of a list.

What this API is like, and what the package does about it (source: IntelePeer API notes, sections 2 to 5):

- *A list cannot be updated*, a campaign cannot be unpublished or stopped, a list cannot be taken off a campaign,
  nor a contact off a list. All of that is a diagnostic with a remedy, never a change (``rules``, ``codes``).
- *One object, many shapes.* Ids are ``_id``, ``listId`` or ``campaignId``, headers an array or an object, booleans
  text. ``wire`` and ``convert`` read all of them and nothing else: an unknown shape is ``ReadIncomplete``, since an
  inventory that reads as empty would create everything a second time.
- *Searching by name is partial* and refuses short names, so nothing here searches: listings are read whole and names
  compared exactly. Deleted objects linger with ``deleteFlag`` and are absent everywhere.
- *Creates are neither idempotent nor unique by name*, and 500 is also how the API says no. Whatever was lost is looked
  up by exact name among the ids that were not there before (``looking``).
- *Associating may add or replace*, nobody documents which: ``linking`` makes a call that is right either way, or asks.
- *The action path is shared by publish, associate and run*, and run contacts people. No plan contains it; it exists for
  the command that runs a campaign by name, and for ``call``.
- *The published state and the attributes of a link are not reliably readable*: they are compared only when told.
"""

from reconciler.providers.intelepeer.codes import CODES
from reconciler.providers.intelepeer.provider import PROVIDER, IntelePeer

__all__ = ["CODES", "PROVIDER", "IntelePeer"]
