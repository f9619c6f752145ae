"""Every code that loading manifests can report, for ``reconciler explain``: what it means, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from reconciler.manifest._contact_codes import CODES as _CONTACTS

_MANIFESTS: Final[Mapping[str, tuple[str, str]]] = {
    "yaml-syntax": (
        "The text is not YAML. The document is skipped; the others of the file are still checked.",
        "Look at the place and at the line before it: a bracket, a quote, a colon or the indentation.",
    ),
    "yaml-duplicate-key": (
        "A mapping has the same key twice. Other readers silently keep one of the two.",
        "Keep the one that is meant.",
    ),
    "yaml-alias": (
        "An anchor (&name) or an alias (*name) is used. They make a document mean more than it says.",
        "Write the value out at every place, or use a variable.",
    ),
    "yaml-merge-key": (
        "A merge key (<<) is used. It makes a document mean more than it says.",
        "Write the fields out.",
    ),
    "yaml-tag": (
        "A tag such as !!str or !custom is used. The schema alone says what a value is.",
        "Take the tag out; put text in quotes.",
    ),
    "yaml-directive": (
        "A document begins with a %YAML or %TAG directive.",
        "Take the line out.",
    ),
    "yaml-key": (
        "A mapping or a list is used as a key, often because of an unquoted ${var.x} inside braces.",
        "Use plain text as the key; put text with brackets in quotes.",
    ),
    "yaml-changed-value": (
        "An unquoted value is text by its place, and YAML reads it as a number, a boolean, a time or a date: a phone "
        "number loses its plus or its zeros, 21:00 becomes 1260, NO becomes false.",
        "Put the value in quotes. Where a number or a boolean is meant, write a plain one.",
    ),
    "yaml-control-character": (
        "A text has control, bidirectional, zero-width or unassigned characters, which can hide what it says.",
        "Take them out. In double quotes only \\n and \\t may be escaped this way.",
    ),
    "yaml-not-utf8": (
        "A file is not UTF-8.",
        "Save it as UTF-8.",
    ),
    "yaml-too-deep": (
        "A document is nested deeper than 50 levels.",
        "Look for stray brackets; no manifest needs that.",
    ),
    "yaml-document-too-large": (
        "A document is larger than 1 MiB.",
        "Put contacts into a file and name it in contactsFrom.",
    ),
    "file-too-large": (
        "A manifest file is larger than 64 MiB.",
        "Put contacts into files and name them in contactsFrom, or split the manifest.",
    ),
    "file-unreadable": (
        "A file or a folder cannot be read, or is a pipe, a socket or a device.",
        "Check its permissions and what it is.",
    ),
    "null-value": (
        "A value is null, or nothing stands after a key. Absent means not managed, so null would say nothing.",
        'Take the line out, or write "" for empty text.',
    ),
    "not-a-mapping": (
        "A document is a list or a single value.",
        "Begin it with apiVersion, kind and metadata; separate several documents by ---.",
    ),
    "no-manifests": (
        "There is no manifest in the paths given. An empty project would mean that nothing is wanted any more.",
        "Check the path. Manifests end in .yaml or .yml; hidden folders and node_modules are not searched.",
    ),
    "project-above": (
        "The current folder, or the path that is given, has no Project document, and its manifests belong to a project "
        "of a folder above. Nothing of that project holds for it alone: guards, policies, freeze and store. Without "
        "a path that is an error, with one a warning.",
        "Run the command in the project's folder, with --select 'path:FOLDER/*' for this part of it.",
    ),
    "manifests-not-found": (
        "The project's manifests name a folder or a file that does not exist.",
        "Correct the path, which is relative to the project file, or make the folder; `reconciler import ACCOUNT` "
        "makes the one that it writes to.",
    ),
    "lifecycle-path-not-found": (
        "The project has lifecycle rules for a folder or a file that does not exist.",
        "Correct the path, which is relative to the project file. Where the last manifest of a folder was taken out, "
        "take the rules out as well.",
    ),
    "path-outside-project": (
        "A path is absolute, or leads out of the project, perhaps through a symbolic link.",
        "Keep files inside the folder of the project file and name them relative to the manifest.",
    ),
    "unknown-api-version": (
        "No provider has this apiVersion.",
        "Write <provider>/v1, or reconciler/v1 for Project, Suppression, Waiver and Policy.",
    ),
    "unknown-kind": (
        "The provider has no such kind.",
        "Use one of the kinds that are named; capitals matter.",
    ),
    "unknown-field": (
        "A field is not known at this place.",
        "Correct the spelling; `reconciler schema KIND` lists the fields.",
    ),
    "unsettable-field": (
        "The provider has this field, and its API cannot set it.",
        "Take it out and set it in the provider's portal.",
    ),
    "missing-field": (
        "A required field is missing.",
        "Add it.",
    ),
    "wrong-type": (
        "A value is of the wrong type, such as a list where text is expected.",
        "Write what the message asks for.",
    ),
    "not-one-of": (
        "A value is none of the words that can stand there.",
        "Use one of them; capitals matter.",
    ),
    "bad-format": (
        "A text is not written as it must be.",
        "Write it as the message says.",
    ),
    "number-in-name": (
        "A resource's name looks like a phone number. Names are shown in every plan, log and report.",
        "Give it another name.",
    ),
    "bad-name": (
        "A key cannot be used as a name: of a label, of a variable, or of a contact's attribute.",
        "Rename it as the hint says.",
    ),
    "bad-value": (
        "A value does not fit its schema.",
        "Compare it with `reconciler schema`.",
    ),
    "bad-combination": (
        "Fields do not go together, or one of several is needed.",
        "Write one of the combinations that the message names.",
    ),
    "empty-value": (
        "A value is empty where there must be something.",
        "Write something, or take the field out.",
    ),
    "too-short": (
        "A text is shorter than the provider accepts.",
        "Make it longer.",
    ),
    "too-long": (
        "A text is longer than the provider accepts.",
        "Make it shorter.",
    ),
    "too-many": (
        "A list or a mapping has more entries than can stand there.",
        "Take some out.",
    ),
    "out-of-range": (
        "A number is too small or too large.",
        "Use one within the limits that the message names.",
    ),
    "duplicate-item": (
        "A list that stands for a set has the same item twice.",
        "Keep one of them.",
    ),
    "secret-literal": (
        "A secret is written in a manifest. Everybody who can read the repository can read it.",
        "Write {env: NAME} or {file: path}. If it was ever committed, replace it at the provider.",
    ),
    "url-credentials": (
        "A URL has a user name or a password in it.",
        "Take them out of the manifest, and replace them if they were ever committed.",
    ),
    "bad-url": (
        "A URL does not name one host beyond doubt, or has a query or a fragment.",
        "Write scheme, host and path only: https://api.example.com/v1.",
    ),
    "insecure-url": (
        "A URL is plain http and leads to another machine, so credentials would travel unencrypted.",
        "Use https.",
    ),
    "host-not-allowed": (
        "An account would send its credentials to a host that is not the provider's own.",
        "If that is meant, allow it with --allow-host HOST or RECONCILER_ALLOWED_HOSTS, not in the manifest.",
    ),
    "undefined-variable": (
        "A variable has no value.",
        "Give one in the Project, with --values FILE or with --var NAME=VALUE.",
    ),
    "bad-variable": (
        "A variable is not written ${var.name}, or stands in the value of a variable or in a Policy.",
        "Correct the spelling; write $${var… for text that only looks like a variable. Policies have none: who sets "
        "variables could loosen them.",
    ),
    "several-projects": (
        "There is more than one Project document.",
        "Keep one.",
    ),
    "policy-code-taken": (
        "A rule of a Policy has a code that the tool has already, so nobody could tell the two apart.",
        "Give it another code, best beginning with the name of the house.",
    ),
    "policy-selects-nothing": (
        "A selector of a rule fits nothing that is declared. If a word of it is wrong, the rule guards nothing.",
        "Correct the selector. Where what it means is yet to come, nothing has to be done.",
    ),
    "unknown-environment": (
        "The Project declares no environment of the name given, on the command line or in a rule of a Policy.",
        "Use one that it declares, or add it there.",
    ),
    "unknown-account": (
        "No manifest declares the account, or none of this provider.",
        "Correct the name, or declare an Account.",
    ),
    "ambiguous-account": (
        "metadata.account is left out and the provider has several accounts.",
        "Add metadata.account.",
    ),
    "wrong-provider": (
        "The account belongs to another provider than the resource.",
        "Name an account of the provider in apiVersion.",
    ),
    "unknown-reference": (
        "A resource is referred to that no manifest declares.",
        "Correct the name, declare it, or write {id: …} for a live object that nobody declares.",
    ),
    "duplicate-address": (
        "Two documents declare the same thing.",
        "Keep one, or give one of them another metadata.name.",
    ),
    "duplicate-id": (
        "Two resources are pinned to the same live object.",
        "Keep one, or correct spec.id.",
    ),
    "duplicate-association": (
        "Two associations join the same list and campaign.",
        "Keep one.",
    ),
    "membership-conflict": (
        "A list has an exact membership and another one, so that each undoes the other.",
        "Put them together, or make both additive.",
    ),
    "membership-replace": (
        "lifecycle.replace is set on a membership.",
        "Take it out; members are added and removed one by one.",
    ),
    "empty-exact-membership": (
        "An exact membership declares nobody, which would remove everybody from the list.",
        "Declare contacts, or set allowEmpty: true if the list is to be emptied.",
    ),
    "renamed-from-declared": (
        "renamedFrom names something that is still declared, or that another resource was renamed from.",
        "Take the old manifest out, or renamedFrom.",
    ),
}

CODES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({**_MANIFESTS, **_CONTACTS})
