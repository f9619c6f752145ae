"""SlickText, API v2 (paths below ``/v1``), simulated.

"Item n" in docstrings of this package is the n-th item of the simulator contract in the SlickText API notes. Answers
that the vendor's documents do not print are decisions taken there, adjustable by ``SlickTextKnobs``.
"""

from reconciler.sandbox.slicktext.knobs import SlickTextKnobs
from reconciler.sandbox.slicktext.provider import SlickText

__all__ = ["SlickText", "SlickTextKnobs"]
