"""Write ``docs/conformance/statement.md`` from the code's own tables (PS3.2 Annex A).

Tables come from the code: a service that is added, an attribute that becomes queryable, a status
that is renamed changes the statement; ``tests/test_conformance.py`` compares the committed page with
what this makes. Only the sentences between the tables are written here.
"""
# ruff: noqa: E501 - lines of the page are its own

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from unittest.mock import MagicMock

from negatoscope.app import dicom
from negatoscope.domain.archive import errors as archive_errors
from negatoscope.domain.archive import metadata
from negatoscope.domain.archive.commitment import BACK_OFF_S, GIVE_UP_S, FailureReason
from negatoscope.domain.archive.query.attributes import ATTRIBUTES, Storage
from negatoscope.domain.archive.query.model import QueryLevel
from negatoscope.domain.identity.policies import AE_ACTIONS
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
from negatoscope.domain.viewing.documents import PRESENTATION_STATES
from negatoscope.entrypoints.dicomweb import capabilities, qido_rs, stow_metadata, wado_uri
from negatoscope.entrypoints.dicomweb.media_types import FRAME_MEDIA_TYPES, OCTET_STREAM
from negatoscope.entrypoints.dicomweb.ups_channel import (
    MAX_CHANNELS,
    MAX_CHANNELS_PER_TITLE,
    SEND_S,
)
from negatoscope.entrypoints.dimse import (
    query_scp,
    retrieve_identifier,
    retrieve_scp,
    server,
    storage_commitment_scp,
    suboperations,
    ups_scp,
    worklist_scp,
)
from negatoscope.entrypoints.dimse.policy import MAX_PIPELINED_OPERATIONS
from negatoscope.entrypoints.dimse.service import Service
from negatoscope.entrypoints.dimse.storage_scp import SET_ASIDE_COMMENTS
from negatoscope.entrypoints.web.problems import PROBLEM_TYPES
from negatoscope.infra.settings import LimitsSettings, Settings
from negatoscope.kit.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from negatoscope.protocols.dicom.dataset.decode import TEXT_BULK_BYTES
from negatoscope.protocols.dicom.dataset.limits import DEFAULT_LIMITS
from negatoscope.protocols.dicom.dimse.acceptor import Limits
from negatoscope.protocols.dicom.dimse.tls import TLS12_SUITES
from negatoscope.protocols.dicom.pixel.codecs import CODECS
from negatoscope.standard.dimse_status import (
    SERVICE_STATUSES,
    ServiceClass,
    Status,
    StatusRow,
    category,
    meaning,
    status_row,
)
from negatoscope.standard.sop_classes import (
    NON_PATIENT_STORAGE_SOP_CLASSES,
    SOP_CLASSES,
    STORAGE_SOP_CLASSES,
    sop_class_name,
)
from negatoscope.standard.tags import keyword_for, vr_for
from negatoscope.standard.transfer_syntaxes import TRANSFER_SYNTAXES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "conformance" / "statement.md"


# Markdown


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; a cell's bars are escaped."""

    def line(cells: Sequence[object]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(head), "|" + "---|" * len(head), *(line(row) for row in rows)])


def bullets(items: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {item}" for item in items)


def bytes_text(count: int) -> str:
    """A size as people write it."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count % size == 0 and count >= size:
            return f"{count // size} {unit}"
    return f"{count} bytes"


# Tables of the code


def services() -> list[Service]:
    """Every row of the DIMSE listener, composed without an archive: nothing is called."""
    return list(dicom.services(Settings(), MagicMock(), MagicMock(), MagicMock(), MagicMock()))


def status_rows(rows: Iterable[StatusRow]) -> Iterator[tuple[str, str, str, str]]:
    """Rows of a status table."""
    for row in rows:
        code = f"{row.first:04X}" if row.first == row.last else f"{row.first:04X}–{row.last:04X}"
        yield code, str(row.category).capitalize(), row.meaning, row.source


def answered(service: ServiceClass | None, *modules: ModuleType) -> str:
    """Statuses that some modules name, with their meaning for a service."""
    names = {
        name
        for module in modules
        for name in re.findall(r"\bStatus\.([A-Z_]+)\b", inspect.getsource(module))
    }
    codes = sorted({int(Status[name]) for name in names})
    return table(
        ("Code", "Category", "Meaning"),
        (
            (
                f"{code:04X}",
                str(category(code)).capitalize(),
                meaning(code, service if status_row(code, service) else ServiceClass.STORAGE),
            )
            for code in codes
        ),
    )


def own_storage_codes() -> Iterator[tuple[str, str]]:
    """Our Cxxx of the Storage service."""
    for code, text in archive_errors.CANNOT_UNDERSTAND_MEANING.items():
        yield f"{code:04X}", text


def routes() -> Iterator[tuple[str, str, str]]:
    """Methods, path and transaction of the DICOMweb service, from the table it tells to OPTIONS."""
    for resource in capabilities.RESOURCES:
        for method in resource.methods:
            verbs = "GET, HEAD" if method.name == "GET" else method.name
            yield verbs, f"`/dicom-web/{resource.template}`", method.transaction


# Sections


def overview() -> str:
    """§1."""
    offered = services()
    return f"""# DICOM conformance statement

Negatoscope, archive node. Structure: PS3.2 Annex A. Generated from the code by
`tools/generate_conformance.py`; do not edit.

## 1 Conformance statement overview

Negatoscope receives, keeps, finds and gives back DICOM objects, by DIMSE and by DICOMweb. It keeps every object as it came:
any Storage SOP class, private ones included, in any transfer syntax; stored data sets are never altered. What a
peer does not take as it is stored is transcoded on its way, without loss (§7.3).

Network services:

{
        table(
            ("Service", "SOP classes", "As user (SCU)", "As provider (SCP)"),
            (
                (
                    one.name.capitalize(),
                    "every Storage SOP class, standard or private"
                    if one.takes_unknown_abstract_syntaxes
                    else ", ".join(sop_class_name(uid) for uid in sorted(one.abstract_syntaxes)),
                    USER_ROLES.get(one.name, "no"),
                    "yes",
                )
                for one in offered
            ),
        )
    }

DICOMweb services (as origin server): Store (STOW-RS), Search (QIDO-RS), Retrieve (WADO-RS) of studies, series, instances,
metadata, frames and bulk data as stored. Media: reads file-sets with a DICOMDIR and folders of Part 10 files (§4).

## 2 Introduction

**Audience**: whoever connects a device or an application to this archive. **Remarks**: conformance does not prove that two
systems work together; the test suite of the project runs it against DCMTK, Orthanc, pynetdicom and dicomweb-client. **Terms**
are those of PS3.2 §A.3 and PS3.3 to PS3.8, PS3.15, PS3.18. **Edition** of the standard: 2024c.
"""


BY_VR = {
    "SQ": "sequence, universal",
    "UI": "list of UID, universal",
    "DA": "single value, range, universal",
    "TM": "single value, range, universal",
    "PN": "single value, wildcard, universal; case, accents and empty components ignored",
    "DS": "single value, universal",
    "IS": "single value, universal",
}
"""Matching of attributes that the index keeps without a column."""

USER_ROLES = {
    "verification": "yes (`negatoscope ae echo`)",
    "storage": "yes (C-MOVE and C-GET sub-operations, `negatoscope ae send`)",
    "query": "yes (`negatoscope ae find`)",
    "move": "yes (`negatoscope ae fetch`)",
    "get": "yes (`negatoscope ae fetch --get`)",
    "storage commitment": "yes (`negatoscope ae commit`)",
    "mpps": "yes (copies to `mpps_destinations`)",
}


def implementation_model() -> str:
    """§3.1."""
    return f"""## 3 Networking

### 3.1 Implementation model

#### 3.1.1 Application data flow

```
                 ┌──────────────── DICOM standard interface ────────────────┐
 remote AE ─────►│ C-ECHO, C-STORE ──────────► archive AE ──► segments      │
 (modality)      │ N-ACTION (commitment) ────► archive AE ──► index         │
                 │ ◄──────── N-EVENT-REPORT ── archive AE                   │
 remote AE ─────►│ C-FIND ───────────────────► archive AE ◄── index         │
 (workstation)   │ C-GET ────────────────────► archive AE ◄── segments      │
                 │ C-MOVE ───────────────────► archive AE                   │
 remote AE ◄─────│ ◄──────────────── C-STORE ─ archive AE                   │
 (destination)   │                                                          │
 remote AE ─────►│ UPS N-CREATE, N-SET, …, C-FIND ► archive AE ◄► worklist │
 (performer)     │ ◄──────── N-EVENT-REPORT ── archive AE                   │
 remote AE ─────►│ MWL C-FIND; MPPS N-CREATE, N-SET ► archive AE ◄► steps   │
 (modality)      │ ◄────────── MPPS copies ─── archive AE                   │
 HTTP client ───►│ STOW-RS, QIDO-RS, WADO-RS ► archive AE                   │
                 └──────────────────────────────────────────────────────────┘
```

One application entity, with one AE title, provides and uses all DIMSE services. DICOMweb gives access to the same objects.

#### 3.1.2 Functional definition

The AE waits for associations and HTTP requests. Objects received are written to stable storage and indexed **before** success
is answered; an object refused leaves nothing. Queries are answered from the index, and from the headers of the objects at the
IMAGE level. Objects are sent with the bytes that were received; their digest is compared first.

#### 3.1.3 Sequencing

Storage, query and retrieve have no order among them: an object can be found and fetched as soon as its C-STORE was answered.
Storage commitment is answered after the objects were read again, on an association that this AE requests, and is tried again
for {int(GIVE_UP_S // 86400)} days after {", ".join(f"{int(wait)} s" for wait in BACK_OFF_S)} (the last pause repeats), across restarts.
"""


def associations() -> str:
    """§3.2.1.2."""
    limits = Limits()
    settings = LimitsSettings()
    return f"""### 3.2 AE specification: the archive

#### 3.2.1 SOP classes

Those of §1. Storage SOP classes by name in §7.1.

#### 3.2.2 Association policies

{
        table(
            ("Item", "Value"),
            [
                ("Application context", "`1.2.840.10008.3.1.1.1`"),
                (
                    "Associations accepted at once",
                    f"{settings.max_associations} (`limits.max_associations`), {settings.max_associations_per_peer} per host",
                ),
                (
                    "Connections without an association at once",
                    f"{settings.max_half_open}, {settings.max_half_open_per_peer} per host; beyond it, the oldest of the host that holds most is dropped",
                ),
                ("Longest A-ASSOCIATE-RQ", bytes_text(limits.max_associate_pdu_bytes)),
                (
                    "Maximum PDU length announced and enforced",
                    f"{limits.max_pdu_bytes} (`max_pdu_bytes`)",
                ),
                ("Maximum PDU length sent", "what the peer announces, at most 16 MiB"),
                (
                    "Asynchronous operations window",
                    f"as acceptor: up to {MAX_PIPELINED_OPERATIONS} operations invoked by a peer that only stores and verifies, answered in order; one otherwise. As requestor: not proposed",
                ),
                ("Implementation class UID", f"`{IMPLEMENTATION_CLASS_UID}`"),
                ("Implementation version name", f"`{IMPLEMENTATION_VERSION_NAME}`"),
                ("ARTIM timer", f"{settings.artim_timeout_s:g} s"),
                ("Between two fragments, and until a response", f"{settings.dimse_timeout_s:g} s"),
                ("Between two messages", f"{settings.idle_timeout_s:g} s"),
            ],
        )
    }

Extended negotiation: SOP Class Extended Negotiation of Query/Retrieve (§3.2.4.3); Role Selection (C-GET and Storage
Commitment); Common Extended Negotiation and User Identity are read and are no reason to refuse.

#### 3.2.3 Association initiation policy

{
        table(
            ("Activity", "When", "Presentation contexts proposed", "After a failure"),
            [
                (
                    "Send for C-MOVE",
                    "a C-MOVE names a registered AE",
                    "one per SOP class and stored transfer syntax of what is sent",
                    "the sub-operation is failed; the request goes on",
                ),
                (
                    "Answer storage commitment",
                    "objects were read again",
                    "Storage Commitment Push Model, SCP role, uncompressed syntaxes",
                    "tried again, see §3.1.3",
                ),
                (
                    "Report events of unified procedure steps",
                    "a registered AE is subscribed",
                    "UPS Event, SCP role, uncompressed syntaxes",
                    "tried again, see §3.2.4.6",
                ),
                (
                    "Tell performed steps on",
                    "an MPPS came and `mpps_destinations` names receivers",
                    "Modality Performed Procedure Step, uncompressed syntaxes",
                    "tried again, see §3.2.4.8",
                ),
                (
                    "Find, fetch, send, ask for commitment",
                    "`negatoscope ae find`, `fetch`, `send`, `commit`",
                    "Patient or Study Root FIND, Study Root GET or MOVE; one per SOP class and stored transfer syntax; Storage Commitment Push Model",
                    "told to the user",
                ),
                (
                    "Verify",
                    "`negatoscope ae echo`, page of the devices",
                    "Verification, uncompressed syntaxes",
                    "told to the user",
                ),
            ],
        )
    }

#### 3.2.4 Association acceptance policy

An association is rejected (PS3.8 §9.3.4: permanent, service user, no reason given) when the called AE title is not ours, or when the
calling AE title is not registered and something else than Verification is proposed; which of the two is in our log only. At the
limits of §3.2.2 it is rejected as transient (service provider, presentation, local limit exceeded). A registered AE gets the
presentation contexts of its roles:

{
        table(
            ("Role of the AE", "May"),
            ((f"`{role}`", ", ".join(sorted(actions))) for role, actions in AE_ACTIONS.items()),
        )
    }

A presentation context for which the AE has no right is refused with "user rejection". Of several proposed
transfer syntaxes the first acceptable one in the requestor's order is chosen.
"""


def presentation_contexts() -> str:
    """§3.2.4.1."""
    rows = []
    for one in services():
        if one.takes_unknown_abstract_syntaxes:
            names = [("every Storage SOP class, and private or unknown ones", "§7.1")]
        else:
            names = [(sop_class_name(uid), f"`{uid}`") for uid in sorted(one.abstract_syntaxes)]
        if one.transfer_syntaxes is None:
            syntaxes = "any; the first proposed is taken (§7.2)"
        elif len(one.transfer_syntaxes) == len(TRANSFER_SYNTAXES):
            syntaxes = "those of §7.2"
        else:
            syntaxes = ", ".join(
                TRANSFER_SYNTAXES[uid].name if uid in TRANSFER_SYNTAXES else uid
                for uid in sorted(one.transfer_syntaxes)
            )
        role = "SCP, and SCU where negotiated" if one.requestor_may_be_scp else "SCP"
        extended = "yes" if one.answer_extended_negotiation else "none"
        rows += [(name, uid, syntaxes, role, extended) for name, uid in names]
    return "##### 3.2.4.1 Presentation contexts accepted\n\n" + table(
        ("Abstract syntax", "UID", "Transfer syntaxes", "Role", "Extended negotiation"), rows
    )


def storage_statuses() -> str:
    """Statuses of C-STORE."""
    aside = "; ".join(SET_ASIDE_COMMENTS.values())
    own = table(("Code", "Meaning"), own_storage_codes())
    return f"""##### 3.2.4.2 Storage: response statuses

Level of conformance: **2 (full)**. All attributes, private ones included, are kept as received. Success means: on stable
storage and indexed. The same object again is success. Another content under the same SOP Instance UID, or UIDs that belong
to another patient, are kept beside and answered with warning B000 and an Error Comment ({aside}).

{table(("Code", "Category", "Meaning", "Source"), status_rows(SERVICE_STATUSES[ServiceClass.STORAGE]))}

Also 0117 (a UID is missing or malformed) and 0124 (not authorised). An object refused leaves nothing behind. Our own codes,
each with an Error Comment (0000,0902):

{own}

Bounds of one data set: {DEFAULT_LIMITS.depth} nested sequences, {DEFAULT_LIMITS.elements} elements,
{DEFAULT_LIMITS.items} items, {DEFAULT_LIMITS.fragments} fragments; deflated data sets grow to at most
{bytes_text(DEFAULT_LIMITS.inflated_bytes)} and, beyond {bytes_text(DEFAULT_LIMITS.inflate_free_bytes)}, {DEFAULT_LIMITS.inflate_ratio} times their size. An object's size is not bounded otherwise.
"""


def query() -> str:
    """C-FIND and QIDO-RS."""
    matching = {
        Storage.TEXT: "single value, wildcard, list, universal",
        Storage.NAME: "single value, wildcard, universal; case, accents and empty components ignored",
        Storage.DATE: "single value, range, universal",
        Storage.TIME: "single value, range, universal",
        Storage.INTEGER: "single value, universal",
        Storage.UID: "list of UID, universal",
        Storage.UID_CODE: "list of UID, universal",
        Storage.TEXTS: "single value, wildcard, universal",
        Storage.IDENTIFIERS: "single value, wildcard, sequence, universal",
        Storage.CONSTANT: "return key only",
    }
    parts = []
    for level in QueryLevel:
        rows = (
            (
                f"({one.tag[:4]},{one.tag[4:]})",
                one.keyword,
                one.vr,
                "U" if one.is_unique_key else "O",
                matching.get(one.storage) or BY_VR.get(one.vr, "single value, wildcard, universal"),
            )
            for one in sorted(ATTRIBUTES.values(), key=lambda one: one.tag)
            if one.level is level
        )
        parts.append(
            f"**{level} level**\n\n" + table(("Tag", "Keyword", "VR", "Type", "Matching"), rows)
        )
    return f"""##### 3.2.4.3 Query: C-FIND

Patient root and study root models, all levels, hierarchical and — when negotiated — relational. Extended negotiation
(PS3.4 §C.5.1.1): relational queries, combined date-time matching, fuzzy semantic matching of person names, empty value and multiple
value matching. Type U: unique
key of its level; O: optional key, supported for matching and return. At the IMAGE level every other attribute is answered
from the object's own header. Attributes of the levels above may be asked for as well.

{chr(10).join(f"{part}{chr(10)}" for part in parts)}
Names and descriptions are compared without case and accents: `DUPRE*` finds Dupré. Keys are read in the Specific Character
Set of the identifier; answers are encoded in the request's character set where it holds them, in ISO_IR 192 otherwise.
Timezone query adjustment is not agreed to. An identifier has at most {bytes_text(query_scp.IDENTIFIER_LIMIT_BYTES)}.

{table(("Code", "Category", "Meaning"), ((f"{code:04X}", str(category(code)).capitalize(), text) for code, text in query_scp.STATUSES.items()))}
"""


def retrieve() -> str:
    """C-MOVE and C-GET."""
    return f"""##### 3.2.4.4 Retrieve: C-MOVE and C-GET

Patient root and study root models, all levels, lists of UIDs; relational retrieval when negotiated. Objects are sent as stored;
an object whose transfer syntax the receiver has not accepted goes in another one that it has, without loss (§7.3), else it is a failed sub-operation. C-MOVE sends to registered AEs only, at
their registered address. Pending responses carry the four counts; the final one the Failed SOP Instance UID List.
C-CANCEL ends the operation between two sub-operations (FE00).

{answered(ServiceClass.MOVE, retrieve_scp, suboperations, retrieve_identifier)}
"""


def commitment() -> str:
    """Storage commitment."""
    return f"""##### 3.2.4.5 Storage commitment push model

An N-ACTION (Action Type 1) is persisted, then answered 0000. Every object is then read again and its sha256 compared with the one
computed at reception; objects that agree are committed. Safekeeping has no end and no capacity but the volumes'; objects are never
removed to make room. References to storage media are not supported. Statuses of the N-ACTION:

{answered(None, storage_commitment_scp)}

Failure Reason (0008,1197):

{table(("Code", "Reason"), ((f"{reason.value:04X}", reason.name.replace("_", " ").lower()) for reason in FailureReason))}
"""


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


def general_statuses() -> str:
    """What the listener answers before any service."""
    return f"""##### 3.2.4.9 Statuses of any service

{answered(None, server)}
"""


def network() -> str:
    """§3.3, §3.4."""
    rows = []
    for name, info in Settings.model_fields.items():
        default = "depends on the processors" if info.default_factory else info.get_default()
        if not isinstance(default, LimitsSettings):
            shown = (
                "" if default in (None, ()) else default if info.default_factory else f"`{default}`"
            )
            rows.append((f"`{name}`", shown))
    rows += [
        (f"`limits.{name}`", f"`{info.get_default()}`")
        for name, info in LimitsSettings.model_fields.items()
    ]
    return f"""### 3.3 Network interfaces

TCP/IP, IPv4 and IPv6. DICOM Upper Layer (PS3.8) on the ports of §3.4, with and without TLS; HTTP/1.1 and HTTP/2 (PS3.18).

### 3.4 Configuration

AE titles, addresses and rights of remote AEs are in a registry (`negatoscope ae`). Settings and their defaults, explained in the
[administration guide](../administration.md#settings):

{table(("Setting", "Default"), rows)}
"""


def listed(names: Iterable[str]) -> str:
    """Names as code, by commas."""
    return ", ".join(f"`{name}`" for name in names)


def dicomweb() -> str:
    """PS3.18."""
    media = {
        uid: (media_type, TRANSFER_SYNTAXES[uid].name if uid in TRANSFER_SYNTAXES else uid)
        for uid, media_type in FRAME_MEDIA_TYPES.items()
    }
    return f"""### 3.5 DICOMweb

Origin server at `/dicom-web`. Every request needs a bearer token (`Authorization: Bearer …`) or a session.

{table(("Methods", "Resource", "Transaction"), sorted(routes(), key=lambda row: (row[2], row[1])))}

**Capabilities.** `OPTIONS` of the service or of a resource: {listed(o.media_type for o in capabilities.OFFERS)}. Methods and media types:

{table(("Resource", "Method", "Takes", "Gives"), ((f"`/{one.template}`", method.name, listed(method.takes), listed(method.gives)) for one in capabilities.RESOURCES for method in one.methods))}

Of several media ranges the most specific one that covers a media type tells its quality (RFC 9110 §12.5.1); `accept` and `charset` of
the query stand for the headers. Text is UTF-8.

**Store.** Any number of parts in one request, streamed; 200 when all were stored, 202 when some, 409 when none; a Store Instances
Response Module per PS3.18 §I.2 with Failure Reason and Warning Reason as the statuses of §3.2.4.2. Part 10 files are durable one by one:
what is whole when a request breaks off stays stored; sending it again is harmless. Metadata and bulk data are stored when the body is
whole; octets become Explicit VR Little Endian, parts of a compressed media type the frames of encapsulated pixel data, in the transfer
syntax that the part names, (0002,0010) of the metadata, or else:

{table(("Media type", "Transfer syntax"), ((f"`{kind}`", TRANSFER_SYNTAXES[uid].name) for kind, uid in stow_metadata.DEFAULT_SYNTAXES.items()))}

**Search.** The keys of §3.2.4.3 by keyword, tag or a path of them into sequences; values of UI and CS keys as lists by comma, any key by
repetition; `includefield` (repeated, by comma, `all`), `fuzzymatching` (beginnings of words, without case and accents, not phonetic),
`emptyvaluematching`, `multiplevaluematching`, `limit`, `offset`; sorted by date, newest first, then by our own keys, the same under paging. More matches
than given, and match parameters that are not supported: a `Warning` header. At instance level any attribute of the objects, private ones
by tag, is matched and returned from their headers. Given without being asked for:

{table(("Level", "Attributes"), ((level.value, ", ".join(names)) for level, names in qido_rs.DEFAULT_ATTRIBUTES.items()))}

**Retrieve.** Every pixel value, every other binary or numeric value above {metadata.BULK_THRESHOLD_BYTES} bytes and every text above
{TEXT_BULK_BYTES} bytes is a BulkDataURI in metadata, at all depths. Bulk data are little endian and take byte ranges. Archives
(`application/zip`) hold Part 10 files, not compressed.

**Presentation states** are rendered on an image they refer to (PS3.4 §N.2); others are refused (406) with the reason:

{table(("SOP class", "What is applied"), ((sop_class_name(uid), text) for uid, text in PRESENTATION_STATES.items()))}

**WADO-URI** at `{wado_uri.PATH}` (§9), GET and HEAD:

{table(("Parameter", "Values"), ((f"`{name}`", text) for name, text in wado_uri.PARAMETERS.items()))}

Frames as stored are `{OCTET_STREAM}` for native pixel data and:

{table(("Transfer syntax", "UID", "Media type"), ((name, f"`{uid}`", f"`{kind}`") for uid, (kind, name) in media.items()))}

Frames of up to 16 bits per sample also as `image/jphc` in transfer syntax `1.2.840.10008.1.2.4.202` (lossless, RPCL), whatever they
are stored as, with byte ranges over the whole answer.

**Worklist** (UPS-RS, PS3.18 §11). Workitems as `application/dicom+json` or `application/dicom+xml`; behaviour and statuses as §3.2.4.6,
the DIMSE status of a refusal in `dicom_status`. Create takes the UID as `?1.2.3` or `?workitem=1.2.3`; Update takes the Transaction UID
as `?transaction=1.2.3` or in the body. Filters of a filtered subscription are query parameters, or pairs in `filter`. Event channel:
WebSocket at `/dicom-web/subscribers/{{aetitle}}`, with the same authentication; each event report is a text message in the DICOM JSON
model. Events that came while no channel was open are sent to the next one. A channel that takes nothing for {SEND_S:g} s is closed
(1013), at most {MAX_CHANNELS_PER_TITLE} channels an AE title and {MAX_CHANNELS} a process.

**Errors** are problem documents (RFC 9457) with a `code` that does not change:

{table(("Status", "`code`", "Meaning"), ((kind.status, f"`{code}`", kind.title) for code, kind in sorted(PROBLEM_TYPES.items(), key=lambda item: (item[1].status, item[0]))))}
"""


def media() -> str:
    """§4."""
    return """## 4 Media interchange

`negatoscope import` acts as a file-set reader (FSR) of any General Purpose profile: DICOMDIR (PS3.10 §8), folders and zip files of
Part 10 files. Referenced File IDs outside the medium are refused. No media are written in this version.
"""


def character_sets() -> str:
    """§5."""
    from negatoscope.protocols.dicom.dataset import charset

    terms = [
        *(
            "ISO_IR 6",
            *(
                f"ISO_IR {n}"
                for n in sorted(charset._CODECS, key=int)
                if n not in {"6", "58", "87", "149", "159"}
            ),
        ),
        *(
            f"ISO 2022 IR {n}"
            for n in (
                "6",
                "13",
                "58",
                "87",
                "100",
                "101",
                "109",
                "110",
                "126",
                "127",
                "138",
                "144",
                "148",
                "149",
                "159",
                "166",
                "203",
            )
        ),
        *(name for name in charset._NAMED_CODECS if name in {"GB18030", "GBK"}),
    ]
    known = [term for term in terms if charset.codec_for(term)]
    return f"""## 5 Support of character sets

Read and written, with and without code extensions: {", ".join(f"`{term}`" for term in known)}.
Text that its declared character set cannot explain is stored untouched and shown with replacement characters.
"""


def security() -> str:
    """§6."""
    suites = table(
        ("Profile", "TLS 1.2 cipher suites, preferred first (those of TLS 1.3 are all permitted)"),
        ((f"`{profile}`", ", ".join(names)) for profile, names in TLS12_SUITES.items()),
    )
    return f"""## 6 Security

- Secure transport: TLS 1.2 and 1.3, BCP 195 TLS Secure Transport Connection Profile (PS3.15 §B.12) or the Non-Downgrading one (§B.13);
  mutual authentication when `tls_ca` is set.

{suites}

- Association level: called and calling AE titles are checked, rights are per AE. User Identity Negotiation is read and not required.
- Application level: bearer tokens and sessions over HTTP, rights per role, every access audited.
- Audit trail: Audit Trail Message Transmission Profile SYSLOG-TLS (PS3.15 §A.6), and SYSLOG-UDP (§A.7), with the messages of §A.5;
  which event is which message: [the audit trail](../admin/audit.md#audit-repositories-atna).
- Defaults and bounds: [security](../security.md).
"""


def annexes() -> str:
    """§7."""
    storage = sorted(STORAGE_SOP_CLASSES, key=lambda uid: [int(part) for part in uid.split(".")])
    return f"""## 7 Annexes

### 7.1 Storage SOP classes

All of PS3.4 §B.5 and §GG.3, retired ones included; private ones are accepted too. Objects that belong to no patient (marked N)
are filed under a study of their SOP class, made by the archive.

{
        table(
            ("SOP class", "UID", ""),
            (
                (
                    SOP_CLASSES[uid].name + (" (retired)" if SOP_CLASSES[uid].is_retired else ""),
                    f"`{uid}`",
                    "N" if uid in NON_PATIENT_STORAGE_SOP_CLASSES else "",
                )
                for uid in storage
            ),
        )
    }

### 7.2 Transfer syntaxes

Accepted for storage and given back as stored. Private and unknown ones too: they are read as explicit VR little endian.

{
        table(
            ("Transfer syntax", "UID"),
            (
                (one.name + (" (retired)" if one.is_retired else ""), f"`{one.uid}`")
                for one in TRANSFER_SYNTAXES.values()
            ),
        )
    }

### 7.3 Attributes created or changed

None in data sets. The preamble and file meta information are the archive's own (PS3.10 §7.1).
"""


def pixels() -> str:
    """§7.3, from the registry of codecs."""
    rows = (
        (
            TRANSFER_SYNTAXES[uid].name,
            f"`{uid}`",
            "yes",
            "no" if codec.encode is None else "with loss" if codec.is_lossy else "yes",
            "" if codec.encode is None else codec.bits,
        )
        for uid, codec in CODECS.items()
    )
    return f"""### 7.3 Pixel data decoded and encoded

Pixel data of these transfer syntaxes are decoded; where the table says so, they are encoded. Every other one is stored and given
back as it is. An object that is given in another transfer syntax keeps its SOP Instance UID and all attributes but those that
describe the coding of its pixels: (0028,0004), (0028,0006), (0028,0100), (0028,0102), (0028,2110), (0028,2112), (0028,2114).
Syntaxes that lose something are used only for who asks for one by name (WADO-RS `transfer-syntax`).

{table(("Transfer syntax", "UID", "Decoded", "Encoded", "Bits stored at most"), rows)}
"""


def statement() -> str:
    """The whole page."""
    sections = (
        overview, implementation_model, associations, presentation_contexts, storage_statuses, query, retrieve,
        commitment, worklist, modality_worklist, general_statuses, network, dicomweb, media, character_sets, security, annexes,
    )  # fmt: skip
    return "\n".join(section().rstrip("\n") + "\n" for section in sections)


def main() -> int:
    """Write the page; ``--check`` only compares."""
    text = statement()
    if "--check" in sys.argv[1:]:
        if PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(
            "docs/conformance/statement.md is not what the code says: run `make docs`",
            file=sys.stderr,
        )
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
