"""Every code that reading contacts can report, for ``reconciler explain``: what it means, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "contact-invalid-number": (
            "The number of a row cannot be read as a phone number in E.164, for the short reason given.",
            "Correct the row. National numbers need defaultRegion. With onInvalid: skip such rows are left out.",
        ),
        "contact-duplicate": (
            "The same number stands in several rows with the same attributes; the first row is used.",
            "Remove the repeated rows.",
        ),
        "contact-duplicate-differs": (
            "The same number stands in several rows and their attributes differ; the first row is used.",
            "Decide which row is right and remove the others.",
        ),
        "contact-file-missing": (
            "A contact file does not exist.",
            "Correct the path; it is relative to the manifest that names it.",
        ),
        "contact-file-not-regular": (
            "A contact file is a folder, a pipe or a device.",
            "Name a regular file.",
        ),
        "contact-file-path-leaves-project": (
            "A path is absolute, or leads out of the project, perhaps through a symbolic link.",
            "Keep contact files inside the project and name them relative to the manifest.",
        ),
        "contact-file-unreadable": (
            "The operating system refuses to read a contact file.",
            "Check its permissions.",
        ),
        "contact-file-option": (
            "An option of a contactsFrom entry cannot be used: delimiter, format or defaultRegion.",
            "Use a single character as delimiter, csv, ndjson or parquet as format, an ISO country as defaultRegion.",
        ),
        "contact-file-format": (
            "The suffix of a contact file is none that is known, or its content is something else.",
            "Use .csv, .ndjson or .jsonl, also with .gz or .zst, or .parquet; workbooks have to be exported.",
        ),
        "contact-file-empty": (
            "A contact file has nothing in it, which is more often a failed export than an empty list.",
            "Export it again. A file without contacts still has a header (Parquet: its columns).",
        ),
        "contact-file-header-only": (
            "A contact file has a header and no rows, so it contributes nobody.",
            "Nothing, if that is meant; else export it again.",
        ),
        "contact-file-no-header": (
            "The first row of a CSV file holds contacts instead of column names.",
            "Add a header.",
        ),
        "contact-file-missing-column": (
            "A column that is needed is not in the file.",
            "Correct its name, or map ours to the file's with columns.",
        ),
        "contact-file-duplicate-column": (
            "Two columns of a file have the same name, so it is open which is meant.",
            "Rename one of them, or take other columns with columns.",
        ),
        "contact-file-delimiter": (
            "The fields of a CSV file are separated by something else than a comma.",
            "Set delimiter at the contactsFrom entry.",
        ),
        "contact-file-encoding": (
            "A contact file is not UTF-8.",
            "Save it as UTF-8; a byte order mark does not matter.",
        ),
        "contact-file-nul": (
            "A contact file has NUL bytes in it: it is no text, or saved as UTF-16.",
            "Save it as UTF-8 text.",
        ),
        "contact-file-line-ends": (
            "A line of a CSV file ends with a lone carriage return.",
            "Save the file with LF or CRLF line ends.",
        ),
        "contact-file-ragged-row": (
            "A row has more or fewer fields than the header, so it is open which value belongs where.",
            "Correct the row; a field with the delimiter in it needs quotes.",
        ),
        "contact-file-quote": (
            "A quote is never closed, or a quoted field goes on after its closing quote.",
            "Close the quote; a quote inside a quoted field is doubled.",
        ),
        "contact-file-field-too-long": (
            "A field is longer than 64 KiB, mostly because of a forgotten quote.",
            "Correct the row.",
        ),
        "contact-file-json": (
            "A line of an NDJSON file is no JSON object.",
            "Write exactly one object per line.",
        ),
        "contact-file-number-not-text": (
            "The column of numbers in a Parquet file is not text, so a plus or leading zeros may be lost.",
            "Write the column as text.",
        ),
        "contact-file-value-not-text": (
            "An attribute is neither text nor a whole number, so its spelling is not certain.",
            "Write it as text.",
        ),
        "contact-file-damaged": (
            "An archive or a Parquet file is damaged or cut off.",
            "Make or fetch it again.",
        ),
        "contact-file-too-large": (
            "A file unpacks to an amount that no contact list has.",
            "Check where the file comes from; split it when it is really that large.",
        ),
        "contact-file-lfs-pointer": (
            "The file is a Git LFS pointer: its content was not fetched.",
            "Run `git lfs pull`; in CI, check out with LFS.",
        ),
        "contact-file-conflict": (
            "A contact file holds the markers of an unresolved merge conflict.",
            "Resolve the conflict.",
        ),
    }
)
