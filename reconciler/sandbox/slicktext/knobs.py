"""Knobs of the simulated SlickText; every default is what the SlickText API notes take as the likeliest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.sandbox.knobs import Knobs


@dataclass(frozen=True, slots=True, kw_only=True)
class SlickTextKnobs(Knobs):
    """Grouped as the contract is."""

    # item 3
    rate_limit: int | None = 480  # requests per sliding minute and brand; null lifts it, and its headers with it
    retry_after: bool = False  # a 429 carries Retry-After
    # items 4 and 5
    error_shape: Literal["error_list", "error_string", "message", "html", "empty"] = "error_list"
    create_status: Literal[200, 201] = 200
    delete_body: Literal["[]", "empty"] = "[]"
    # items 7 to 9
    max_page: int = 100
    default_page: int = 50
    over_max: Literal["clamp", "reject"] = "clamp"
    shuffle_ties: bool = False  # rows created in the same second come in another order on every request
    hasmore_lies_false: bool = False
    hasmore_always_true: bool = False
    hasmore_missing: bool = False
    offset_ignored: bool = False
    filter_ignored: bool = False
    # items 10 to 12
    unique_list_names: bool = False
    type_noise: bool = False  # zip as a number, _source_id as text, "null" as text
    mask_numbers: bool = False  # a key that may not see whole numbers
    bulk_unknown: Literal["reject", "skip", "partial_then_422"] = "reject"
    bulk_count: Literal["changed", "submitted"] = "changed"
    max_bulk: int = 1000
    drop_delete_body: bool = False  # the body of a DELETE gets lost on the way
    # items 14 and 15
    status_default: Literal["reject", "draft", "send"] = "reject"  # campaign create without a status
    put_status_default: Literal["keep", "send"] = "keep"  # campaign edit without a status
    collection_no_audience: bool = False
    updated_key: Literal["last_updated", "last_Editd"] = "last_updated"
    delete_any_campaign: bool = False
    dispatch_s: float = 1.0  # from queued to sent
