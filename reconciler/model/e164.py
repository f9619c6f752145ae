"""What a phone number looks like when it is compared: E.164, spelled once for all who ask."""

from __future__ import annotations

from typing import Final

E164: Final = r"\+[1-9][0-9]{6,14}"
"""A plus and 7 to 15 digits, the first no zero (ITU-T E.164)."""
