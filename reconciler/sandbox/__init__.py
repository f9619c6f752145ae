"""The providers simulated over real HTTP, on loopback, with a ledger of everybody who would have been contacted.

    with Sandbox() as sandbox:
        httpx.get(f"{sandbox.url}/v1/brands", headers={"Authorization": "Bearer sandbox-slicktext-key"})
        assert sandbox.ledger()["messages"] == []

SlickText answers below ``/v1``, IntelePeer Engage below ``/_rest``, Exotel below ``/v2``, the contact centre below
``/api`` and ``/callcenter``, the sandbox itself below ``/__sandbox__``. It needs the ``sandbox`` extra and nothing else
of ``reconciler``; Starlette and uvicorn are imported when a sandbox starts.
"""

from reconciler.sandbox.server import Sandbox
from reconciler.sandbox.wire import SandboxError

__all__ = ["Sandbox", "SandboxError"]
