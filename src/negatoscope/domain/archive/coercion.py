"""Objects given out under who their patient is now: the bytes that are kept stay as they came.

A study whose patient was merged, renamed, given another identifier, or that was moved to another
patient, is shown under that patient's row of the index. Everything that gives attributes of an
object comes here: its data set (C-MOVE, C-GET, WADO-RS, archives of files), its metadata, its
header for queries. What the object said before goes along in the Original Attributes Sequence
(PS3.3 §C.12.1.1.9). An object whose study was never touched is not looked at.
"""

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from negatoscope.domain.archive.errors import ObjectUnreadable
from negatoscope.protocols.dicom.dataset import DataSetError, decode, encode, inflate
from negatoscope.protocols.dicom.dataset.vr import LONG_VRS
from negatoscope.protocols.dicom.pixel.rewrite import rewrite
from negatoscope.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, transfer_syntax

if TYPE_CHECKING:
    from negatoscope.domain.archive.reading import Member

MAX_HEAD_BYTES: Final = 256 << 20
"""Longest part of a data set that is written anew: what lies before its pixel data."""
MODIFYING_SYSTEM: Final = "Negatoscope"

_CHARACTER_SET: Final = "00080005"
_NAME, _ID, _ISSUER, _QUALIFIERS = "00100010", "00100020", "00100021", "00100024"
_BIRTH_DATE, _SEX = "00100030", "00100040"
_OTHER_IDS, _OTHER_IDS_SEQUENCE, _BIRTH_NAME = "00101000", "00101002", "00101005"
_ORIGINAL: Final = "04000561"
_IDENTITY: Final = (
    _NAME, _ID, _ISSUER, _QUALIFIERS, _BIRTH_DATE, _SEX, _OTHER_IDS, _OTHER_IDS_SEQUENCE,
    _BIRTH_NAME,
)  # fmt: skip
_VRS: Final = {
    _NAME: "PN", _ID: "LO", _ISSUER: "LO", _QUALIFIERS: "SQ", _BIRTH_DATE: "DA", _SEX: "CS",
    _OTHER_IDS_SEQUENCE: "SQ", _BIRTH_NAME: "PN",
}  # fmt: skip
DicomJson = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientIdentity:
    """Who the patient of an object is now.

    Attributes:
        attributes: DICOM JSON; an element without value is known to be empty or unknown.
        modified_at: DT (PS3.5 §6.2): since when.
        is_moved: Whether a person gave the study to another patient: what is unknown of that one
            is then taken away, where it otherwise stays as the object says.
    """

    attributes: DicomJson
    modified_at: str
    is_moved: bool = False
    fingerprint: str = field(default="")
    """Changes with what is given out; for entity tags."""

    def apply(self, given: DicomJson) -> dict[str, Any]:
        """The attributes of an object with the patient put right."""
        return {
            key: element
            for key, element in sorted({**given, **self.changes(given)}.items())
            if element is not None
        }

    def changes(self, given: DicomJson) -> dict[str, DicomJson | None]:
        """What an object has to say instead; None leaves an attribute out.

        Args:
            given: What it says.
        """
        changed: dict[str, DicomJson | None] = {}
        for key in _IDENTITY:
            said, now = given.get(key), self.attributes.get(key)
            if not (now or {}).get("Value"):
                if not self.is_moved and key in {_BIRTH_DATE, _SEX, _BIRTH_NAME}:
                    continue
                now = {"vr": _VRS[key]} if key in {_NAME, _ID, _BIRTH_DATE, _SEX} else None
            if (said or {}).get("Value") != (now or {}).get("Value"):
                changed[key] = now
        before = {key: given[key] for key in changed if key in given}
        if before:
            changed[_ORIGINAL] = _with_item(given.get(_ORIGINAL), before, self.modified_at)
        return changed


def identity_of(row: Sequence[Any], *, is_moved: bool) -> PatientIdentity:
    """From a row of the query ``identities``."""
    _id, patient_id, issuer, name, birth, sex, attributes, changed_at, others = row
    found: dict[str, Any] = {
        _NAME: _element("PN", {"Alphabetic": name} if name else None),
        _ID: _element("LO", patient_id),
        _ISSUER: _element("LO", issuer),
        _BIRTH_DATE: _element("DA", None if birth is None else birth.strftime("%Y%m%d")),
        _SEX: _element("CS", sex),
    }
    found |= {key: attributes[key] for key in (_QUALIFIERS, _BIRTH_NAME) if key in attributes}
    items = [
        {_ID: _element("LO", value), **({_ISSUER: _element("LO", by)} if by else {})}
        for value, by in others
    ]
    if items:
        found[_OTHER_IDS_SEQUENCE] = {"vr": "SQ", "Value": items}
    at = "" if changed_at is None else changed_at.strftime("%Y%m%d%H%M%S+0000")
    digest = hashlib.sha256(orjson.dumps([found, at, is_moved])).hexdigest()[:16]
    return PatientIdentity(attributes=found, modified_at=at, is_moved=is_moved, fingerprint=digest)


def coerced_data_set(member: "Member") -> Iterator[bytes]:
    """The data set of an object whose study has an identity of its own, in pieces.

    Its digest is compared before the first piece.

    Raises:
        ObjectCorrupt, ObjectUnreadable: it cannot be read, or its header cannot be written anew.
    """
    stored = member.stored
    member.look()
    syntax = transfer_syntax(stored.transfer_syntax_uid)
    start, end = stored.data_set_offset, stored.size
    if syntax.is_deflated:
        head = inflate(member.read(start, stored.data_set_length))
        deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        raw = deflate.compress(_head(member, head)) + deflate.flush()
        yield raw + b"\x00" * (len(raw) & 1)
        return
    stop = end if stored.pixel_offset is None else stored.pixel_offset
    if stop - start > MAX_HEAD_BYTES:
        raise ObjectUnreadable(stored.sop_instance_uid, f"a header of {stop - start} bytes")
    yield _head(member, member.read(start, stop - start))
    yield from member.chunks(stop)


def coerced_head(member: "Member", head: bytes) -> bytes:
    """What lies before the pixel data, their header included, with the patient put right.

    Args:
        member: Of an object with an identity of its own.
        head: Inflated.

    Raises:
        ObjectUnreadable: it cannot be written anew.
    """
    return _head(member, head)


def _head(member: "Member", head: bytes) -> bytes:
    stored = member.stored
    identity = stored.identity
    if identity is None:
        return head
    syntax = transfer_syntax(stored.transfer_syntax_uid)
    uid = EXPLICIT_VR_LITTLE_ENDIAN if syntax.is_deflated else stored.transfer_syntax_uid
    try:
        given = decode(head, uid, stop_before_pixels=True, bulk_threshold=len(head) + 1)
        changes = identity.changes(given)
        terms = (given.get(_CHARACTER_SET) or {}).get("Value") or []
        put = {key: element for key, element in changes.items() if element is not None}
        overlay = encode(_declaring(put, terms), uid)
        left_out = {key: None for key, element in changes.items() if element is None}
        parts = rewrite(head, uid, uid, changes=left_out, overlay=overlay)
        written = decode(overlay, uid).get(_CHARACTER_SET, {}).get("Value") or []
        if written == terms:
            body = parts.data
        else:  # a letter that the object's character sets do not have: all its text in Unicode
            whole = {**given, **put, _CHARACTER_SET: {"vr": "CS", "Value": ["ISO_IR 192"]}}
            body = encode({k: v for k, v in whole.items() if k not in left_out}, uid)
    except DataSetError as error:
        raise ObjectUnreadable(
            stored.sop_instance_uid, f"its patient cannot be put right: {error.reason}"
        ) from error
    if parts.pixel_tag is None:
        return body
    begin = parts.value_offset - (12 if parts.pixel_vr in LONG_VRS else 8)
    return body + head[begin:]


def _declaring(attributes: DicomJson, terms: list[str]) -> dict[str, Any]:
    return {**attributes, **({_CHARACTER_SET: {"vr": "CS", "Value": terms}} if terms else {})}


def _element(vr: str, value: Any) -> dict[str, Any]:
    return {"vr": vr} if value is None or value == "" else {"vr": vr, "Value": [value]}


def _with_item(sequence: DicomJson | None, before: DicomJson, at: str) -> DicomJson:
    item: dict[str, Any] = {
        "04000550": {"vr": "SQ", "Value": [dict(before)]},
        "04000562": _element("DT", at),
        "04000563": _element("LO", MODIFYING_SYSTEM),
        "04000564": {"vr": "LO"},
        "04000565": _element("CS", "COERCE"),
    }
    return {"vr": "SQ", "Value": [*((sequence or {}).get("Value") or []), item]}
