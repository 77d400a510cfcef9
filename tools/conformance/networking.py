"""§3.1 to §3.2.4.1, and what holds of every service."""
# ruff: noqa: E501 - lines of the page are its own

from conformance.code_tables import answered, services
from conformance.markdown import bytes_text, table
from negatoscope.domain.archive.commitment import BACK_OFF_S, GIVE_UP_S
from negatoscope.domain.identity.policies import AE_ACTIONS
from negatoscope.entrypoints.dimse import (
    server,
)
from negatoscope.entrypoints.dimse.policy import MAX_PIPELINED_OPERATIONS
from negatoscope.infra.settings import LimitsSettings, Settings
from negatoscope.kit.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from negatoscope.protocols.dicom.dimse.acceptor import Limits
from negatoscope.standard.sop_classes import (
    sop_class_name,
)
from negatoscope.standard.transfer_syntaxes import TRANSFER_SYNTAXES


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
IMAGE level. Objects are sent with the bytes that were received (exceptions: §7.3 and §7.4); their digest is compared first.

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
