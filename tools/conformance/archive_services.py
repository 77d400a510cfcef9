"""§3.2.4.2 to §3.2.4.5: storage, query, retrieve, storage commitment."""
# ruff: noqa: E501 - lines of the page are its own

from conformance.code_tables import BY_VR, answered, own_storage_codes, status_rows
from conformance.markdown import bytes_text, table
from negatoscope.domain.archive.commitment import FailureReason
from negatoscope.domain.archive.query.attributes import ATTRIBUTES, Storage
from negatoscope.domain.archive.query.model import QueryLevel
from negatoscope.entrypoints.dimse import (
    query_scp,
    retrieve_identifier,
    retrieve_scp,
    storage_commitment_scp,
    suboperations,
)
from negatoscope.entrypoints.dimse.storage_scp import SET_ASIDE_COMMENTS
from negatoscope.protocols.dicom.dataset.limits import DEFAULT_LIMITS
from negatoscope.standard.dimse_status import (
    SERVICE_STATUSES,
    ServiceClass,
    category,
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
