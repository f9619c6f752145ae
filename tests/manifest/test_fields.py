"""What ``explain`` knows of kinds and fields: all that the schemas say, by the names that people type."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.manifest.fields import Field, NoSuchField, explained
from reconciler.manifest.schemas import kind_schema, schema_files

KINDS = sorted(f"{version}/{kind}" for version, kind in schema_files())


def below(field: Field, depth: int = 0) -> Iterator[Field]:
    assert depth < 10
    for child in field.fields:
        (found,) = explained(child.path)
        yield found
        yield from below(found, depth + 1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_that_is_listed_can_be_explained(kind: str) -> None:
    (whole,) = explained(kind)
    fields = list(below(whole))
    assert all(f.description and f.type != "any" for f in fields), [f.path for f in fields]
    schema = kind_schema(*kind.rsplit("/", 1))
    assert schema is not None
    assert {f"spec.{name}" for name in schema.fields} <= {f.name for f in whole.fields}


def test_a_field_says_what_its_schema_says() -> None:
    (name,) = explained("slicktext/v1/List.name")
    assert name == Field(
        path="slicktext/v1/List.spec.name",
        name="name",
        type="string",
        required=True,
        description="The name of the list.",
        form="one line of text without white space at its ends",
        limits=("at most 100 characters",),
    )
    (mode,) = explained("contactcenter/v1/Membership.mode")
    assert (mode.values, mode.required) == (("exact", "additive"), True)
    (finished,) = explained("contactcenter/v1/Membership.deleteFinished")
    assert (finished.type, finished.default, finished.required) == ("boolean", "false", False)
    (id_,) = explained("slicktext/v1/List.id")
    assert id_.type == "string or integer"


def test_a_kind_alone_is_that_of_every_provider_which_has_it() -> None:
    assert [f.path for f in explained("List")] == ["exotel/v1/List", "intelepeer/v1/List", "slicktext/v1/List"]
    assert [f.path for f in explained("Campaign.body")] == ["slicktext/v1/Campaign.spec.body"]
    assert [f.path for f in explained("Project")] == ["reconciler/v1/Project"]


@pytest.mark.parametrize(
    ("text", "path", "type_"),
    [
        ("slicktext/v1/List.spec.name", "slicktext/v1/List.spec.name", "string"),
        ("slicktext/v1/List.metadata.name", "slicktext/v1/List.metadata.name", "string"),
        ("slicktext/v1/List.lifecycle.ignore", "slicktext/v1/List.lifecycle.ignore", "array of string"),
        ("slicktext/v1/List.metadata.labels.team", "slicktext/v1/List.metadata.labels.team", "string"),
        ("slicktext/v1/Membership.contacts", "slicktext/v1/Membership.spec.contacts", "array of object"),
        ("slicktext/v1/Membership.contactsFrom.file", "slicktext/v1/Membership.spec.contactsFrom.file", "string"),
        ("slicktext/v1/Membership.list", "slicktext/v1/Membership.spec.list", "string or object"),
        ("slicktext/v1/Membership.list.id", "slicktext/v1/Membership.spec.list.id", "string or integer"),
        ("slicktext/v1/Account.auth.apiKey.env", "slicktext/v1/Account.spec.auth.apiKey.env", "string"),
        ("Project.environments.prod.guards", "reconciler/v1/Project.spec.environments.prod.guards", "object"),
    ],
)
def test_dots_lead_into_objects_arrays_mappings_and_alternatives(text: str, path: str, type_: str) -> None:
    (found,) = explained(text)
    assert (found.path, found.type) == (path, type_)


@pytest.mark.parametrize(
    ("text", "close"),
    [
        ("Lsit", "List"),
        ("slicktext/v1/Lists", "slicktext/v1/List"),
        ("slicktex/v1/List", "slicktext/v1/List"),
        ("List.nmae", "List.name"),
        ("slicktext/v1/List.metdata", "slicktext/v1/List.metadata"),
        ("Membership.contactsFrom.fiel", "Membership.contactsFrom.file"),
    ],
)
def test_what_was_probably_meant(text: str, close: str) -> None:
    with pytest.raises(NoSuchField) as nothing:
        explained(text)
    assert close in nothing.value.close


@pytest.mark.parametrize("text", ["", ".", "/", "List.", "List..name", "List.name.", ".name", "List.metadata.labels."])
def test_dots_with_nothing_between_them_name_nothing(text: str) -> None:
    with pytest.raises(NoSuchField):
        explained(text)


def test_of_a_choice_only_what_every_choice_asks_for_is_required() -> None:
    (suppression,) = explained("Suppression")
    required = {f.name: f.required for f in suppression.fields}
    assert (required["spec.numbers"], required["spec.contactsFrom"]) == (False, False)
    assert explained("slicktext/v1/Membership.list.id")[0].required
    assert explained("slicktext/v1/Account.auth.apiKey")[0].required
