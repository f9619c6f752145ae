"""What a 2xx to a write says: done, refused after all, or nothing that can be relied on.

A good status is not enough here: commands are answered with a bare ``true``, which may also be ``false``, and gateways
wrap errors in a 200. Whatever is neither a clear yes nor a clear no is ``NoAnswer``: the executor looks.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.errors import NoAnswer, ReadIncomplete, Rejected
from reconciler.model.addresses import RemoteId
from reconciler.providers.http import Reply
from reconciler.providers.intelepeer.codes import CODES
from reconciler.providers.intelepeer.convert import Campaign, ContactList, campaign, contact_list
from reconciler.providers.intelepeer.wire import accepted, inner_failure, single


class HeadersIgnored(Rejected):
    """A list was created, but not with the headers it was asked for. ``remote_id`` is the list that exists now."""

    code = "intelepeer-headers-ignored"

    def __init__(self, remote_id: RemoteId, status: int) -> None:
        meaning, remedy = CODES[self.code]
        super().__init__(f"{meaning}: list id {remote_id}", hint=remedy, status=status)
        self.remote_id = remote_id


class UploadUnavailable(Rejected):
    """The upload endpoint is not there for this account."""

    code = "intelepeer-upload-unavailable"

    def __init__(self, status: int) -> None:
        meaning, remedy = CODES[self.code]
        super().__init__(f"{meaning} (HTTP {status})", hint=remedy, status=status)


def refuse_inner_failure(reply: Reply) -> None:
    """Judge a 200 that wraps an error by the status inside. Raises Rejected (4xx) or NoAnswer (5xx)."""
    if status := inner_failure(reply.body):
        failure = Rejected if status < 500 else NoAnswer
        raise failure(f"IntelePeer answered {reply.status} with an error inside, status {status}.", status=status)


def require_true(reply: Reply, what: str) -> None:
    """Accept a command (E5 to E8, E13) that was answered ``true``. Raises Rejected for ``false``, NoAnswer for else."""
    refuse_inner_failure(reply)
    match accepted(reply.body):
        case True:
            return
        case False:
            raise Rejected(f"IntelePeer answered {what} with false: it was not done.", status=reply.status)
        case None:
            raise NoAnswer(f"IntelePeer answered {what} with neither true nor false.", status=reply.status)


def created_campaign(reply: Reply) -> Campaign:
    """The new campaign (E3). Raises NoAnswer when the answer does not name it."""
    refuse_inner_failure(reply)
    try:
        return campaign(single(reply.body, "a new campaign"))
    except ReadIncomplete as error:
        raise NoAnswer(error.message, status=reply.status) from None


def created_list(reply: Reply, headers: Sequence[str] | None) -> ContactList:
    """The new list (E12). Raises NoAnswer when the answer does not name it, HeadersIgnored when it lacks ``headers``.

    The documents say that headers are ignored, and their sample shows that they are not. Headers cannot be added later.
    """
    made = uploaded_list(reply)
    if headers and made.headers is not None and made.headers != tuple(headers):
        raise HeadersIgnored(made.remote_id, reply.status)
    return made


def uploaded_list(reply: Reply) -> ContactList:
    """The list in the answer to an upload (E14) or a create. Raises NoAnswer when the answer does not name it."""
    refuse_inner_failure(reply)
    try:
        return contact_list(single(reply.body, "a list"))
    except ReadIncomplete as error:
        raise NoAnswer(error.message, status=reply.status) from None
