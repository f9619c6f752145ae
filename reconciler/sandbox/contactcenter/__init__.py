"""Contact centre, Campaigns API (paths below ``/api/v2`` and ``/callcenter``), simulated.

"Item n" in docstrings of this package is the n-th item of the simulator contract in the contact-centre API notes, "E n"
an endpoint of theirs. Hardly anything but paths, fields and sample shapes is documented there: a client that passes
here has proved nothing about a portal, and everything doubtful can be turned by ``ContactCenterKnobs``.
"""

from reconciler.sandbox.contactcenter.knobs import ContactCenterKnobs
from reconciler.sandbox.contactcenter.provider import ContactCenter

__all__ = ["ContactCenter", "ContactCenterKnobs"]
