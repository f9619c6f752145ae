"""Knobs of the simulated Exotel; every default is what the Exotel API notes take as the likeliest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.sandbox.knobs import Knobs


@dataclass(frozen=True, slots=True, kw_only=True)
class ExotelKnobs(Knobs):
    """Grouped as the contract is."""

    # items 3 and 15: bulk writes
    max_bulk: int = 5000
    bulk_http: Literal[207, 200] = 207
    fail_bulk_item: int | None = None  # this item of every bulk write fails with 500, counted from 1
    # item 5
    rename_conflict_http: Literal[409, 200] = 409
    put: Literal["merge", "replace"] = "merge"  # what a PUT does to fields it does not name
    # item 6
    default_page: int = 20
    max_page: int = 500  # lists, members, campaigns, call details
    max_contact_page: int = 20
    over_max: Literal["clamp", "reject"] = "clamp"
    # item 7
    existing_member: Literal[409, 200] = 409
    static_cap: int = 100_000
    dynamic_cap: int = 500_000
    member_rows: Literal["contact", "association"] = "contact"
    # item 10
    csv_delay_s: float = 2.0
    csv_http: Literal[200, 202] = 200
    csv_reply: Literal["summary", "array", "list"] = "summary"
    csv_fails: bool = False  # every upload ends as failed
    # items 11 and 12
    list_propagation_s: float = 0.0  # how long a campaign create does not see a new list
    min_lead_s: float = 0.0  # how far ahead send_at must be
    out_of_credit: bool = False  # a campaign create answers 402
    caller_id_echo: Literal["verbatim", "local"] = "verbatim"  # local: 0… instead of +91…
    calls_per_minute: int | None = None  # null: everybody at once; mode custom has its own throttle
    call_s: float = 30.0  # from the last call to a completed campaign
    at_end_at: Literal["completed", "paused"] = "completed"
    # item 13
    deleted_campaign: Literal["shown", "missing"] = "shown"
    # item 14
    rate_limited: bool = False
    writes_per_minute: int = 30
    reads_per_minute: int = 300
    retry_after: bool = True
    # item 16: shapes
    error_shape: Literal["object", "array", "error", "rest_exception"] = "object"
    single_shape: Literal["object", "array"] = "object"
    list_key: Literal["list_id", "list_sid"] = "list_id"  # in what E7 answers
    contact_key: Literal["sid", "contact_sid"] = "sid"
    list_type: bool = False  # lists show their type
    metadata: bool = True
    flat_rows: bool = False  # rows of a page without their wrapping
    status_style: Literal["camel", "kebab"] = "camel"  # InProgress or in-progress
    stats_names: Literal["short", "counts"] = "short"
    campaign_lists: Literal["sids", "objects", "hidden"] = "sids"
    counts: Literal["numbers", "texts"] = "numbers"
