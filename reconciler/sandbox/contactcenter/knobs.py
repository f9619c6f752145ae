"""Knobs of the simulated contact centre; every default is what its API notes take as the likeliest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.sandbox.knobs import Knobs


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCenterKnobs(Knobs):
    """Grouped as the contract is."""

    # items 1 and 2
    profile: Literal["observed", "documented"] = "observed"  # documented: every fault of the client is 400
    error_body: Literal["text", "json", "empty"] = "text"
    # item 3
    token_ttl_s: float = 3600.0
    token_keys: Literal["snake", "camel"] = "snake"
    opaque_tokens: bool = False  # no JWT, so nothing can be read out of them
    refresh_token: bool = True
    # item 5
    hide_empty_campaigns: bool = False
    dup_status_key: bool = False  # a second "success" among the counts
    empty_report: Literal["object", "array", "null"] = "object"
    # item 6
    default_page: int = 50
    max_page: int = 1000
    last_cursor: Literal["absent", "null", "empty"] = "absent"
    rows_key: Literal["data", "rows"] = "data"
    bare_array: bool = False
    echo_write_only: bool = False
    unknown_campaign: Literal[400, 404, 200] = 400  # of E3; 200 is an empty page
    cursor_repeats: bool = False  # the next page is this one again
    empty_page_with_cursor: bool = False  # an empty page stands before every page, so also where one page holds all
    malformed_record: bool = False  # the first lead of every page is no object
    # item 7
    strict_fields: bool = False
    dedupe: Literal["off", "reject400", "silent200"] = "off"
    normalise: Literal["none", "strip_plus", "add_plus"] = "none"
    write_body: Literal["text", "empty", "json"] = "text"
    allow_post_add: bool = False
    put_add_refused: bool = False
    visibility_delay_s: float = 0.0
    visibility_delay_requests: int = 0  # so many reads of leads or counts do not show a new lead yet
    # item 8
    statuses: str = "new,success,failed"  # words that E7 takes
    # item 9
    missing_lead: Literal[400, 404, 500, 200] = 400
    # item 12
    history_envelope: Literal["array", "object"] = "array"
    history_page: int = 50
    max_history_page: int = 1000
    call_ids: bool = False  # call_id in every activity record, asked for or not
    # item 13
    priority_rule: Literal["high_first", "low_first", "oldest"] = "high_first"
    dial_interval_s: float = 1.0  # between two calls of one campaign
    call_s: float = 5.0  # how long a call lasts
    # item 15
    rate_limit: int | None = None  # requests per sliding minute and account
    retry_after_s: int | None = None  # what a 429 says
