"""Acme, the provider of another package in the suite."""

from __future__ import annotations

from contracts import Contract, Drift

from participants.manifests import ADA, BEN, CLEO, DORA, GONE, manifest, ours, people


def acme(note: str = "spring", members: tuple[str, ...] = (ADA, BEN, DORA)) -> dict[str, str]:
    return {
        "list.yaml": manifest("acme", "List", "vips", f"name: VIPs, note: {note}", GONE),
        "members.yaml": manifest("acme", "Membership", "people", f"list: vips, mode: exact, {people(*members)}"),
    }


ACME = Contract(
    name="acme",
    account_name="lists",
    account="""\
apiVersion: acme/v1
kind: Account
metadata: {name: lists}
spec: {baseUrl: URL, auth: {token: {env: ACME_TOKEN}}}
""",
    secrets={"ACME_TOKEN": "acme-token"},
    walk=(acme(), acme("autumn", (ADA, CLEO, DORA)), {}),
    writes=6,
    picture=lambda section: ours(section["lists"].values(), "name", "note", "numbers"),
    unlisted=ADA,
    drifts=(
        Drift(
            operation={"op": "edit_list", "list": "VIPs", "set": {"note": "edited"}}, shows=(("update", "List/vips"),)
        ),
        Drift(
            operation={"op": "add_members", "list": "VIPs", "numbers": [CLEO]}, shows=(("update", "Membership/people"),)
        ),
        Drift(
            operation={"op": "remove_members", "list": "VIPs", "numbers": [ADA]},
            shows=(("update", "Membership/people"),),
        ),
    ),
)
