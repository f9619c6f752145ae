"""A provider that another package brings: lists of numbers behind a made-up HTTP API."""

from __future__ import annotations

from acme.provider import AcmeProvider

PROVIDER = AcmeProvider()

__all__ = ["PROVIDER"]
