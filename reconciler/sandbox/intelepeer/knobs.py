"""Knobs of the simulated IntelePeer Engage; every default is what the IntelePeer API notes take as the likeliest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.sandbox.knobs import Knobs


@dataclass(frozen=True, slots=True, kw_only=True)
class IntelePeerKnobs(Knobs):
    """Grouped as the contract is."""

    id_style: Literal["hex24", "odd"] = "hex24"  # odd: 23 characters, not all of them hexadecimal
    # item 1
    token_ttl_s: float = 86_400
    require_scheme: Literal["any", "raw", "bearer"] = "any"
    # items 3 and 4
    e1_shape: Literal["array", "single_object", "wrapped"] = "array"  # single_object: only where there is exactly one
    e2_name_shape: Literal["object", "array"] = "object"
    delete_flag_as_string: bool = False
    # item 6
    put_description: Literal["keep", "clear"] = "keep"  # what an update without a description does to it
    # item 7
    strict_publish: bool = False  # 422 without flow, caller id and list
    run_fails: bool = False  # a run is accepted and ends among the campaigns in error
    associate_semantics: Literal["add", "replace"] = "add"
    # item 8
    delete_delay_s: float | None = 2.0  # from 202 to gone; null is never
    active_list_delete: Literal["refuse", "accept_and_ignore"] = "refuse"
    dangling_links: bool = True  # draft campaigns keep the id of a deleted list
    # items 10 and 11
    ignore_headers: bool = False
    legacy_list_detail: bool = False  # the older shape of one list
    upload_enabled: bool = True
