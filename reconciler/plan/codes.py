"""The codes of planning and applying: what each means and what to do about it (``reconciler explain CODE``)."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, tuple[str, str]] = {
    "account-changed": (
        "The account's credentials now belong to another account than at the last apply: everything we own would look "
        "gone.",
        "Check the credentials and ids. When the move is meant, give the account another name.",
    ),
    "already-worked": (
        "People are declared who were contacted before and whose leads are gone since. Adding them would contact them "
        "again, so they are left out.",
        "Take them out of the manifest, or contact them again with --allow recontact=ADDRESS.",
    ),
    "account-not-declared": (
        "We own something in an account that no manifest declares any more, so it cannot be read.",
        "Declare the account again, or let go of what we own there.",
    ),
    "association-moved": (
        "An Association names another list or campaign than the link it made, and that link cannot be taken away: the "
        "provider has no call for it, or two campaigns trade lists and one list would feed both in between.",
        "Take the old link away in the provider's portal and plan again; where campaigns trade lists, apply one move "
        "first.",
    ),
    "ambiguous-name": (
        "Several live objects have exactly this name, and none of them is ours.",
        "Name the one that is meant with spec.id.",
    ),
    "cannot-dial": (
        "A campaign cannot be sent now: it is not ours, not ready, or its provider has no call for it.",
        "The message says what is missing; put that right, apply, and dial again.",
    ),
    "credentials-refused": (
        "The provider refused the account's credentials, or they are not set.",
        "Check the variables or files that auth refers to, and whether the key is still valid.",
    ),
    "dependency-not-planned": (
        "A change needs the id of something that this plan does not create.",
        "Select or declare what it needs.",
    ),
    "dial-unresolved": (
        "An earlier dial of the campaign got no usable answer, and nothing at the provider tells whether it went out. "
        "Sending it again could contact everybody twice.",
        "Look in the provider's portal, then say what you found with dial --found sent or --found not-sent.",
    ),
    "error": ("A command could not be carried out.", "The message says why, and the hint what to do."),
    "held-back": (
        "A resource waits for one that does not exist yet and that --exclude leaves out.",
        "Nothing need be done: it follows once the other one is applied.",
    ),
    "excluded-dependency": (
        "A resource that is selected needs one that does not exist yet and is not selected.",
        "Select both, or exclude both.",
    ),
    "field-not-updatable": (
        "A field differs that the provider can only set when the object is created.",
        "Put the value back, or let the object be replaced with lifecycle.replace.",
    ),
    "invalid-input": (
        "A file or option cannot be used.",
        "The message says which and why; correct it and run the command again.",
    ),
    "looks-renamed": (
        "A resource is to be created, and a live object of its name is ours under another address.",
        "Say that it was renamed with lifecycle.renamedFrom, or give it another name.",
    ),
    "namesake": (
        "A live object has the name of one of ours and is not ours: a request may have been delivered twice, "
        "or somebody made a copy.",
        "Look at it in the provider's portal and delete it there if it is a double. It is never touched from here.",
    ),
    "lead-busy": (
        "Leads that an exact membership does not want may be in a call right now, so they are left alone.",
        "Apply again when they are done.",
    ),
    "lead-not-there": (
        "People are declared with something that only a lead that exists can have, and they are not there.",
        "Take it out to have them added, or leave them out.",
    ),
    "interrupted": ("A signal ended the command before it sent anything.", "Run it again when it suits."),
    "lease-held": (
        "Another apply is working on the same account.",
        "Wait until it is done; a dead one's lease is free after a minute. `reconciler lock list` tells who it is.",
    ),
    "missing-contacts": (
        "People are declared on a list who do not exist at the provider, where a contact exists apart from its lists.",
        "Create them there, or set missingContacts: create on the Membership.",
    ),
    "no-answer": (
        "A request left and no usable answer came back, so it may have landed.",
        "Apply again: what landed is found, what did not is done.",
    ),
    "not-found": ("The provider does not know the id.", "Plan again: the object was deleted meanwhile."),
    "nothing-applied-yet": (
        "The store knows of no apply, so `drift` cannot tell who moved: every difference is pending.",
        "Apply once, or point --store at the store that your applies use.",
    ),
    "observed-drift": (
        "A resource with lifecycle.observe differs from its manifest. It is reported and never written.",
        "Change the manifest or the live object, or remove observe to have it corrected.",
    ),
    "observed-dependency": (
        "A resource needs one that is only observed, and that does not exist.",
        "Have that one made by hand, or let it be managed.",
    ),
    "opted-out-skipped": (
        "People who opted out are declared on a list. They are never added, created or updated.",
        "Take them out of the manifest or contact file.",
    ),
    "pinned-missing": (
        "spec.id names a live object that is not there.",
        "Correct the id, or remove it to have the object created.",
    ),
    "plan-stale": (
        "A saved plan may not be run: something changed since, or it was used, has expired, is damaged or is another "
        "project's.",
        "Make a new plan and have it reviewed.",
    ),
    "lifecycle-to-remember": (
        "A manifest says anew whether its object is protected, or what removing it means, and nothing else differs. "
        "That is remembered by an apply, so it does not hold yet.",
        "Apply before the manifest is removed. Nothing is sent for it.",
    ),
    "perhaps-renamed": (
        "A list or campaign is created while one that says the same under another name is deleted or let go of. If "
        "these are one thing, its people and links would be left behind.",
        "Say so with lifecycle.renamedFrom, as the note spells out; otherwise there is nothing to do.",
    ),
    "policy-plugin-failed": (
        "A plug-in that a Policy names cannot be imported, raised something, or answered what is no finding. What "
        "cannot be judged is refused.",
        "Mend the plug-in, or take it out of the Policy.",
    ),
    "policy-plugin-missing": (
        "A Policy names a plug-in that no installed package brings, or that several do. What cannot be judged is "
        "refused.",
        "Install the package where reconciler runs, or correct the name, which is that of an entry point.",
    ),
    "protected-kept": (
        "A protected resource is no longer declared. Protection outlives the manifest, so it stays.",
        "Declare it with lifecycle.protect: false, apply, and remove it then; or let go of it with inventory forget.",
    ),
    "protected-replace": (
        "A change can only be made by replacing an object, and the object is protected.",
        "Put the value back, or take the protection off in a change of its own first.",
    ),
    "provider-error": ("A provider did not do as it was asked.", "Its own words say why; apply again when mended."),
    "provider-unreachable": (
        "No connection to the provider could be made, so nothing was sent.",
        "Check the network and baseUrl, then run again.",
    ),
    "rate-limited": (
        "The provider said to slow down for longer than a run waits.",
        "Run again later, or lower the account's limits so that it does not come to this.",
    ),
    "read-incomplete": (
        "A read could not be proven whole. Acting on a part would delete or repeat what was not seen.",
        "Run again; if it stays, the provider's answer has changed its shape.",
    ),
    "reference-missing": (
        "A reference by id names a live object that is not there.",
        "Correct the id, or declare the object and refer to it by name.",
    ),
    "refused": (
        "A guard, a policy, a missing approval or a freeze stopped the apply; nothing was sent.",
        "The hint says how.",
    ),
    "rejected": ("The provider refused a request.", "Its own words say why; correct the manifest and apply again."),
    "same-account": (
        "Two declared accounts are one and the same at the provider.",
        "Declare it once.",
    ),
    "same-object": (
        "Several manifests stand for one live object.",
        "Give one of them another name, or remove one.",
    ),
    "store-unusable": (
        "The store is damaged, foreign, an old copy, newer than this tool or out of reach. It is never read as empty.",
        "Restore it from a backup, or correct its URL.",
    ),
    "suppressed-in-reach": (
        "A change would start contacting somebody who is suppressed and on the list all the same.",
        "Take them off the list first, in the portal or with mode: exact.",
    ),
    "suppressed-still-listed": (
        "Suppressed people are on a live list whose membership is additive, which takes nobody off.",
        "Take them off in the portal, or declare the whole list with mode: exact.",
    ),
    "suppressed-skipped": (
        "Suppressed people are declared on a list. They are never added, and taken off an exact list.",
        "Take them out of the manifest or contact file.",
    ),
    "unexpected": (
        "An error that nobody foresaw: a bug in reconciler.",
        "Report it with what --debug prints. What was sent is in reconciler history; applying again is safe.",
    ),
    "unresolved": (
        "Nobody can tell whether an earlier request landed, and acting on it could contact somebody twice.",
        "Look at the object in the portal, then do what the hint says.",
    ),
    "unknown-members": (
        "The provider does not show who is on a list, and the store does not know either.",
        "Restore the store, or lift this with --allow unknown-members=ADDRESS.",
    ),
    "write-only-attribute": (
        "The provider takes this attribute when a lead is added and never shows it, so whether it differs is unknown.",
        "Nothing to do. A changed value reaches leads that are added from now on.",
    ),
    "usage": ("The command line cannot be understood.", "`reconciler COMMAND --help` lists what a command takes."),
    "waiver-expired": (
        "A waiver has ended, so the drift that it accepted counts again.",
        "Put the drift right, or extend the waiver.",
    ),
    "waiver-unused": (
        "A waiver accepts drift that is not there.",
        "Remove it.",
    ),
    "withheld": (
        "A request was about to leave when a freeze, a deadline, an interrupt or quiet hours took it back.",
        "Nothing was sent by it; apply again when that is over.",
    ),
}
