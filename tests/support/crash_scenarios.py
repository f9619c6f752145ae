"""Small applies of every kind, at all four providers, for the crash laws."""

from __future__ import annotations

from crashes import LANDING_S, VISIBILITY_S, Scenario

ADA, BEN, CLEO, DORA = (f"+120255501{n}" for n in range(10, 14))
GONE = "onRemove: delete"
SETTLE = f"  settle: {{landing: {LANDING_S:.0f}s, visibility: {VISIBILITY_S:.0f}s}}\n"


def doc(provider: str, kind: str, name: str, spec: str, lifecycle: str = "") -> dict[str, str]:
    """One manifest file; ``spec`` and ``lifecycle`` are the insides of flow mappings."""
    head = f"apiVersion: {provider}/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n"
    life = f"lifecycle: {{{lifecycle}}}\n" if lifecycle else ""
    return {f"{kind.lower()}-{name}.yaml": f"{head}{life}spec: {{{spec}}}\n"}


def people(*numbers: str, **columns: str) -> str:
    more = "".join(f", {name}: {value}" for name, value in columns.items())
    return "contacts: [" + ", ".join(f'{{number: "{n}"{more}}}' for n in numbers) + "]"


def account(provider: str, name: str, spec: str) -> str:
    head = f"apiVersion: {provider}/v1\nkind: Account\nmetadata: {{name: {name}}}\nspec:\n  baseUrl: URL\n"
    return head + spec + SETTLE


# --- SlickText

S_ACCOUNT = account("slicktext", "main", '  brandId: "123456789"\n  auth: {apiKey: {env: SLICKTEXT_API_KEY}}\n')
S_SEED = {"slicktext": {"contacts": [{"number": n} for n in (ADA, BEN, CLEO)]}}


def s_list(name: str = "join", description: str = "VIPs", life: str = GONE, title: str = "") -> dict[str, str]:
    return doc("slicktext", "List", name, f"name: {title or name.title()}, description: {description}", life)


def s_members(*numbers: str, mode: str = "exact", missing: str = "fail") -> dict[str, str]:
    return doc(
        "slicktext",
        "Membership",
        "members",
        f"list: join, mode: {mode}, missingContacts: {missing}, {people(*numbers)}",
    )


def s_campaign(status: str = "draft", body: str = "Hello, reply STOP to opt out") -> dict[str, str]:
    when = ', scheduled: "2099-05-01 14:00:00"' if status == "scheduled" else ""
    return doc("slicktext", "Campaign", "spring", f'name: Spring, body: "{body}", status: {status}{when}', GONE)


S_LINK = doc("slicktext", "Association", "spring--join", "campaign: spring, list: join", GONE)


def s_link(campaign: str, name: str) -> dict[str, str]:
    return doc("slicktext", "Association", "link", f"campaign: {campaign}, list: {name}", GONE)


S_TWO = (
    s_list()
    | s_list("vips")
    | s_campaign()
    | doc("slicktext", "Campaign", "autumn", "name: Autumn, body: Hello, status: draft", GONE)
)


def texts(name: str, before: dict[str, str], after: dict[str, str], **more: object) -> Scenario:
    own = str(more.pop("own", ""))
    return Scenario(
        name=f"slicktext {name}",
        account=S_ACCOUNT + own,
        before=before,
        after=after,
        seed=S_SEED,
        **more,  # type: ignore[arg-type]
    )


SLICKTEXT = (
    texts("create a list", {}, s_list()),
    texts("update a list", s_list(), s_list(description="Gold")),
    texts("delete a list", s_list(), {}),
    texts(
        "rename a list",
        s_list(),
        s_list("vips", life=f"{GONE}, renamedFrom: join", title="Vips"),
    ),
    texts("add members", s_list(), s_list() | s_members(ADA, BEN)),
    texts("exchange members", s_list() | s_members(ADA, BEN), s_list() | s_members(BEN, CLEO)),
    texts("create a contact on the way", s_list(), s_list() | s_members(ADA, DORA, missing="create")),
    texts("add members in chunks", s_list(), s_list() | s_members(ADA, BEN, CLEO), own="  bulkSize: 1\n"),
    texts("create a list and its members", {}, s_list() | s_members(ADA)),
    texts("create a draft and link it", s_list(), s_list() | s_campaign() | S_LINK),
    texts("link a campaign", s_list() | s_campaign(), s_list() | s_campaign() | S_LINK),
    texts(
        "schedule a draft",
        s_list() | s_members(ADA) | s_campaign() | S_LINK,
        s_list() | s_members(ADA) | s_campaign("scheduled") | S_LINK,
        contacts=("/campaigns",),
        repeat="main/Campaign/spring",
    ),
    texts(
        "create a scheduled campaign",
        s_list() | s_members(ADA),
        s_list() | s_members(ADA) | s_campaign("scheduled") | S_LINK,
        contacts=("/campaigns",),
        repeat="main/Campaign/spring",
    ),
    texts(
        "name another list for a campaign",
        S_TWO | s_link("spring", "join"),
        S_TWO | s_link("spring", "vips"),
    ),
    texts(
        "move a list to another campaign",
        S_TWO | s_link("spring", "join"),
        S_TWO | s_link("autumn", "join"),
    ),
    texts(
        "delete everything",
        s_list() | s_members(ADA) | s_campaign() | S_LINK,
        {},
        allow=("empty=main/Membership/members",),
    ),
)

# --- IntelePeer

I_ACCOUNT = account(
    "intelepeer",
    "engage",
    "  membershipMode: append\n  associateSemantics: add\n"
    "  auth: {username: {env: INTELEPEER_USERNAME}, password: {env: INTELEPEER_PASSWORD}}\n",
)


def i_list(description: str = "Customer contacts", life: str = GONE) -> dict[str, str]:
    return doc(
        "intelepeer",
        "List",
        "people",
        f"name: Engage List, description: {description}, headers: [phone, firstname]",
        life,
    )


def i_members(*numbers: str, name: str = "members") -> dict[str, str]:
    return doc("intelepeer", "Membership", name, f"list: people, mode: additive, {people(*numbers, firstname='Ada')}")


def i_campaign(description: str = "A test", state: str = "") -> dict[str, str]:
    return doc(
        "intelepeer",
        "Campaign",
        "texts",
        f'name: Florida Test, description: {description}, callerIdentification: "+16075550100", '
        f"flowId: 5bef29e1c5480c40e2ab4ef0{state}",
        GONE,
    )


I_LINK = doc("intelepeer", "Association", "texts--people", "campaign: texts, list: people, moc: phone")

I_ACTIVE = (
    i_list()
    | doc("intelepeer", "List", "more", "name: Other List, description: Others, headers: [phone, firstname]")
    | i_members(ADA)
    | i_campaign(state=", state: published")
    | I_LINK
)


def i_link(campaign: str) -> dict[str, str]:
    return doc("intelepeer", "Association", "link", f"campaign: {campaign}, list: people, moc: phone")


def calls(name: str, before: dict[str, str], after: dict[str, str], **more: object) -> Scenario:
    return Scenario(name=f"intelepeer {name}", account=I_ACCOUNT, before=before, after=after, **more)  # type: ignore[arg-type]


INTELEPEER = (
    calls("create a list", {}, i_list()),
    calls("delete a list", i_list(), {}),
    calls("replace a list", i_list(), i_list("Others", f"{GONE}, replace: true")),
    calls("upload members", i_list(), i_list() | i_members(ADA, BEN)),
    calls("upload more members", i_list() | i_members(ADA), i_list() | i_members(ADA, BEN)),
    calls("upload two memberships", i_list(), i_list() | i_members(ADA) | i_members(BEN, name="others")),
    calls("create a list and its members", {}, i_list() | i_members(ADA)),
    calls("create and link a campaign", i_list(), i_list() | i_campaign() | I_LINK),
    calls("update a campaign", i_list() | i_campaign(), i_list() | i_campaign("Another test")),
    calls(
        "publish a campaign",
        i_list() | i_members(ADA) | i_campaign() | I_LINK,
        i_list() | i_members(ADA) | i_campaign(state=", state: published") | I_LINK,
    ),
    calls(
        "link another list to an active campaign",
        I_ACTIVE,
        I_ACTIVE | doc("intelepeer", "Association", "texts--more", "campaign: texts, list: more, moc: phone"),
        contacts=("/action",),
        repeat="engage/Association/texts--more",
    ),
    calls(
        "upload to the list of an active campaign",
        I_ACTIVE,
        I_ACTIVE | i_members(ADA, BEN),
        contacts=("/uploadcontacts",),
        repeat="engage/Membership/members",
    ),
    calls("delete a campaign", i_list() | i_campaign(), i_list()),
    calls(
        "move a list from a campaign that goes",
        i_list() | i_campaign() | i_link("texts"),
        i_list()
        | doc(
            "intelepeer",
            "Campaign",
            "calls",
            'name: Texas Test, callerIdentification: "+16075550100", flowId: 5bef29e1c5480c40e2ab4ef0',
        )
        | i_link("calls"),
    ),
)

# --- Exotel

E_ACCOUNT = account(
    "exotel",
    "voice",
    "  accountSid: sandbox1\n  auth: {apiKey: {env: EXOTEL_API_KEY}, apiToken: {env: EXOTEL_API_TOKEN}}\n",
)
E_SEED = {"exotel": {"contacts": [{"number": n} for n in (ADA, BEN, CLEO)]}}


def e_list(tag: str = "spring", name: str = "renewals", life: str = GONE, title: str = "") -> dict[str, str]:
    return doc("exotel", "List", name, f"name: {title or name.title()}, tag: {tag}", life)


def e_members(*numbers: str) -> dict[str, str]:
    return doc(
        "exotel", "Membership", "people", f"list: renewals, mode: exact, missingContacts: create, {people(*numbers)}"
    )


def e_campaign(day: str = "2099-02-02") -> dict[str, str]:
    return doc(
        "exotel",
        "Campaign",
        "round",
        'name: Spring round, caller_id: "+12025550100", url: http://my.exotel.com/sandbox1/exoml/start_voice/926, '
        f'schedule: {{send_at: "{day}T09:00:00+05:30"}}',
        GONE,
    ) | doc("exotel", "Association", "round--renewals", "campaign: round, list: renewals", GONE)


def e_link(campaign: str) -> dict[str, str]:
    return doc("exotel", "Association", "link", f"campaign: {campaign}, list: vips", GONE)


E_TWO = (
    e_list()
    | e_list(name="vips")
    | e_campaign()
    | doc(
        "exotel",
        "Campaign",
        "second",
        'name: Second round, caller_id: "+12025550100", url: http://my.exotel.com/sandbox1/exoml/start_voice/926, '
        'schedule: {send_at: "2099-02-02T09:00:00+05:30"}',
        GONE,
    )
    | doc("exotel", "Association", "second--renewals", "campaign: second, list: renewals", GONE)
)


def voice(name: str, before: dict[str, str], after: dict[str, str], **more: object) -> Scenario:
    own = str(more.pop("own", ""))
    return Scenario(
        name=f"exotel {name}",
        account=E_ACCOUNT + own,
        before=before,
        after=after,
        seed=E_SEED,
        **more,  # type: ignore[arg-type]
    )


EXOTEL = (
    voice("create a list", {}, e_list()),
    voice("update a list", e_list(), e_list("autumn")),
    voice("rename a list", e_list(), e_list(name="vips", life=f"{GONE}, renamedFrom: renewals", title="Vips")),
    voice("delete a list", e_list(), {}),
    voice("add members and a contact", e_list(), e_list() | e_members(ADA, DORA)),
    voice("exchange members", e_list() | e_members(ADA, BEN), e_list() | e_members(BEN, CLEO)),
    voice(
        "create a campaign",
        e_list() | e_members(ADA),
        e_list() | e_members(ADA) | e_campaign(),
        contacts=("/campaigns",),
        repeat="voice/Campaign/round",
    ),
    voice(
        "reschedule a campaign",
        e_list() | e_members(ADA) | e_campaign(),
        e_list() | e_members(ADA) | e_campaign("2099-02-03"),
        contacts=("/campaigns",),
        repeat="voice/Campaign/round",
    ),
    voice(
        "move a list to another campaign",
        E_TWO | e_link("round"),
        E_TWO | e_link("second"),
        contacts=("/campaigns",),
        repeat="voice/Association/link",
    ),
    voice("delete a campaign", e_list() | e_members(ADA) | e_campaign(), e_list() | e_members(ADA)),
)

# --- contact centre

C_ACCOUNT = account(
    "contactcenter",
    "center",
    "  accountId: 0123456789abcdef0123456789abcdef\n  domain: sandbox\n"
    "  auth: {username: sandbox, password: {env: CONTACTCENTER_PASSWORD}}\n",
)
C_CAMPAIGN = doc("contactcenter", "Campaign", "spring", "name: Spring")


def c_seed(status: str = "stopped") -> dict[str, object]:
    return {
        "contactcenter": {
            "accounts": [
                {
                    "account_id": "0123456789abcdef0123456789abcdef",
                    "domain": "sandbox",
                    "users": [{"username": "sandbox", "password": "sandbox-contactcenter-password"}],
                }
            ],
            "campaigns": [{"name": "Spring", "status": status, "leads": [{"number": CLEO, "status": "success"}]}],
        }
    }


def c_members(*numbers: str, mode: str = "exact", **columns: str) -> dict[str, str]:
    return C_CAMPAIGN | doc(
        "contactcenter", "Membership", "people", f"campaign: spring, mode: {mode}, {people(*numbers, **columns)}", GONE
    )


def leads(name: str, before: dict[str, str], after: dict[str, str], **more: object) -> Scenario:
    more.setdefault("seed", c_seed())
    return Scenario(name=f"contactcenter {name}", account=C_ACCOUNT, before=before, after=after, **more)  # type: ignore[arg-type]


CONTACTCENTER = (
    leads("add leads", C_CAMPAIGN, c_members(ADA, BEN)),
    leads("exchange leads", c_members(ADA, BEN), c_members(BEN, DORA)),
    leads("remove leads", c_members(ADA, BEN), C_CAMPAIGN),
    leads(
        "add leads to a running campaign",
        C_CAMPAIGN,
        c_members(ADA, BEN),
        seed=c_seed("running"),
        contacts=("/leads",),
        repeat="center/Membership/people",
    ),
    leads("add one lead of several", c_members(ADA, mode="additive"), c_members(ADA, DORA, mode="additive")),
)

SCENARIOS = (*SLICKTEXT, *INTELEPEER, *EXOTEL, *CONTACTCENTER)
