"""§3.2.4.6 to §3.2.4.8: unified procedure steps, worklist, performed procedure steps."""
# ruff: noqa: E501 - lines of the page are its own

from collections.abc import Iterator, Mapping

from conformance.code_tables import BY_VR
from conformance.markdown import bytes_text, table
from negatoscope.domain.performed import mpps_attributes, mpps_errors
from negatoscope.domain.performed.forwarding import GIVE_UP_S as GIVE_UP_MPPS_S
from negatoscope.domain.performed.mpps import TRANSITIONS, Flag, MppsState
from negatoscope.domain.scheduling import worklist as mwl
from negatoscope.domain.ups import EventType, ProcedureStepState
from negatoscope.domain.ups import attributes as ups_attributes
from negatoscope.domain.ups.data_sets import MAX_BYTES as UPS_MAX_BYTES
from negatoscope.domain.ups.delivery import BACK_OFF_S as UPS_BACK_OFF_S
from negatoscope.domain.ups.delivery import KEEP_EVENTS_S, REFUSALS
from negatoscope.domain.ups.errors import ANSWERS
from negatoscope.domain.ups.repository import MAX_QUEUED_EVENTS
from negatoscope.domain.ups.states import CHANGES, Outcome
from negatoscope.domain.ups.subscriptions import MAX_SUBSCRIBERS
from negatoscope.entrypoints.dimse import (
    ups_scp,
    worklist_scp,
)
from negatoscope.standard.dimse_status import (
    ServiceClass,
    category,
    meaning,
    status_row,
)
from negatoscope.standard.sop_classes import (
    sop_class_name,
)
from negatoscope.standard.tags import keyword_for, vr_for


def worklist() -> str:
    """Unified Procedure Step, both wires."""
    fields = ups_scp.OPERATIONS
    requirements = (
        (
            f"({one.tags[-1][:4]},{one.tags[-1][4:]})",
            ">" * (len(one.path) - 1) + one.path[-1],
            one.creation,
            one.setting,
            one.final,
            "R" if one.is_matching_key else "O",
        )
        for one in ups_attributes.REQUIREMENTS
    )
    changes = (
        (
            f"Change to {state}, {'right' if is_right else 'wrong or no'} Transaction UID",
            *(
                "changed" if outcome is Outcome.CHANGE else f"{outcome:04X}"
                for outcome in (row[one] for one in ProcedureStepState)
            ),
        )
        for (state, is_right), row in CHANGES.items()
    )
    statuses = (
        (
            f"{code:04X}",
            str(category(code)).capitalize(),
            meaning(code, ServiceClass.UPS if status_row(code, ServiceClass.UPS) else None),
            ANSWERS[code].http_status if code in ANSWERS else "",
            ANSWERS[code].warning if code in ANSWERS else "",
        )
        for code in ups_scp.STATUSES
    )
    return f"""##### 3.2.4.6 Unified Procedure Step

One worklist for DIMSE and DICOMweb (§3.5). Operations by SOP class; actions are by number those of PS3.4 Tables CC.2.1-1,
CC.2.2-1 and CC.2.3-1:

{
        table(
            ("SOP class", "Operations", "Action Type IDs"),
            (
                (
                    sop_class_name(uid),
                    ", ".join(sorted(f.name.removesuffix("_RQ").replace("_", "-") for f in some)),
                    ", ".join(map(str, sorted(ups_scp.ACTIONS.get(uid, ())))),
                )
                for uid, some in fields.items()
            ),
        )
    }

State changes, by the state a step is in; an unknown SOP Instance UID is C307:

{table(("Request", *ProcedureStepState), changes)}

Attributes of PS3.4 Table CC.2.5-3 with a requirement; other attributes of the IOD are taken as they come. Sequences are replaced
whole by N-SET. An attribute that may not be set is refused (0105) unless it has the value already. Type 2 attributes that N-CREATE
lacks are added empty (B300); an empty Worklist Label becomes UNASSIGNED. A data set has at most {
        bytes_text(UPS_MAX_BYTES)
    }.

{table(("Tag", "Keyword", "N-CREATE (SCU)", "N-SET", "Final state", "Matching"), requirements)}

Every attribute kept can be matched: single value, list of UID, wild card, range, sequence, universal, as in §3.2.4.3. The Transaction
UID is never answered.

**Subscriptions**: to one instance, global (`1.2.840.10008.5.1.4.34.5`) and filtered global (`1.2.840.10008.5.1.4.34.5.1`), with and
without deletion lock. Unsubscribing from either well-known instance ends all subscriptions of the AE. A request is refused when the
Receiving AE is not registered (C308) or has no role `ups` (0124), or beyond {
        MAX_SUBSCRIBERS
    } subscribers (0213). Deletion locks are granted always and never
removed by this AE. A finished step without lock is deleted after `ups_retention_days`.

**Events** ({
        ", ".join(f"{one.value} {one.name.replace('_', ' ').lower()}" for one in EventType)
    }) are queued in the database with the
change they tell of, at most {
        MAX_QUEUED_EVENTS
    } a subscriber, the oldest giving way. For DIMSE subscribers this AE opens an association
proposing UPS Event with the SCP role; one that cannot be reached is tried again after
{
        ", ".join(f"{int(wait)} s" for wait in UPS_BACK_OFF_S)
    } (the last pause repeats), across restarts; an event is dropped after {REFUSALS}
refusals or {
        int(KEEP_EVENTS_S // 86400)
    } days. SCP Status Change says RESTARTED and WARM START when the worker starts; GOING DOWN is
not sent; there is no fallback list beside the subscribers. Which way a subscriber is told, DIMSE or WebSocket, is how it last subscribed.
A cancel request for a step IN PROGRESS to which nobody is subscribed is C312; this AE performs no steps itself.

Statuses, and how HTTP says them:

{table(("Code", "Category", "Meaning", "HTTP", "Warning header"), statuses)}
"""


def modality_worklist() -> str:
    """Modality Worklist and MPPS."""

    def keys(supported: Mapping[str, object], indent: str) -> Iterator[tuple[str, str, str, str]]:
        for tag in sorted(supported):
            number = int(tag, 16)
            vr = vr_for(number)
            is_required = tag in mwl.REQUIRED_MATCHING_KEYS
            matched = BY_VR.get(vr, "single value, wildcard, list, universal")
            if vr in {"US", "UL"}:
                matched = "single value, universal"
            name = indent + (keyword_for(number) or tag)
            yield f"({tag[:4]},{tag[4:]})", name, matched, "R" if is_required else "O"

    top, step = {t: k for t, k in mwl.SUPPORTED.items() if not k}, mwl.SUPPORTED["00400100"]
    performed = (
        (
            f"({one.tags[-1][:4]},{one.tags[-1][4:]})",
            ">" * (len(one.path) - 1) + one.path[-1],
            one.creation,
            one.setting,
            one.final,
        )
        for one in mpps_attributes.REQUIREMENTS
    )
    statuses = ((f"{code:04X}", text) for code, text in sorted(worklist_scp.STATUSES.items()))
    mpps_statuses = ((f"{code:04X}", text) for code, text in sorted(mpps_errors.STATUSES.items()))
    return f"""##### 3.2.4.7 Modality Worklist

Steps that have a time and are SCHEDULED, ARRIVED, READY or STARTED, unless their order is held or a radiologist has not accepted it.
A device of the department is shown what its worklist filter says: by default the steps booked for its AE title, and those of its
modality that no device was chosen for, from yesterday on. Another AE with the role `worklist` is shown every step from a week ago on.
Urgent steps (STAT, then HIGH) come first, then by time. Nothing is cached.

Keys; all are matched, none is only returned. Start date and start time, both given, are one period (PS3.4 Table K.6-1, remark), in
the department's time zone. Fuzzy semantic matching of person names is agreed to when proposed. Other keys come back empty with status
FF01. A step that no device was chosen for has the Scheduled Station AE Title of whoever asks.

{table(("Tag", "Keyword", "Matching", "Type"), keys(top, ""))}

In the item of Scheduled Procedure Step Sequence (0040,0100):

{table(("Tag", "Keyword", "Matching", "Type"), keys(step, ">"))}

**Specific Character Set**: that of the request; when it names none, that of the AE's registration, else ISO_IR 192, as for an unknown one. Letters that the set lacks are written
with those it has where such a spelling exists (`Ł` as `L`), which is logged; an item with anything else comes in ISO_IR 192, declared.

At most {worklist_scp.MAX_AT_ONCE} worklists are looked up at once in a process. One AE title may ask {worklist_scp.QUERIES_PER_S:g} times a second, and twice as often in a
burst; it then waits up to {worklist_scp.PATIENCE_S:g} s, and is refused beyond that. Statuses:

{table(("Code", "Meaning"), statuses)}

##### 3.2.4.8 Modality Performed Procedure Step

N-CREATE and N-SET are durable before they are answered. Attributes of PS3.4 Table F.7.2-1 with a requirement; all others, doses and
consumables among them, are kept as they come. A missing attribute of type 2 is taken for an empty one. Attributes that may not be set
are left as they are, without an error. A DISCONTINUED step needs no series.

{table(("Tag", "Keyword", "N-CREATE (SCU)", "N-SET", "Final state"), performed)}

IN PROGRESS leads to {", ".join(sorted(state for state in TRANSITIONS[MppsState.IN_PROGRESS] if state != MppsState.IN_PROGRESS))}; these end it. An item of Scheduled Step Attributes Sequence is for the step whose Scheduled
Procedure Step ID it has, unless the Study Instance UID, the accession number or the patient speak against it; what is for no step is
kept and flagged for a person: {", ".join(Flag)}. A patient is known by Patient ID with its issuer (or the issuer that the
calling AE is registered to mean), never by a bare number. While anything performed for a step is IN PROGRESS, the step is STARTED; when all
has ended it is COMPLETED if anything was, else DISCONTINUED. A step discontinued with (110514, DCM, Incorrect worklist entry selected) gives
the scheduled step back. Modality Performed Procedure Step Retrieve: N-GET of all or some attributes. Statuses:

{table(("Code", "Meaning"), mpps_statuses)}

Copies go to the AE titles of `mpps_destinations` in their order, tried again for {int(GIVE_UP_MPPS_S // 86400)} days.
"""
