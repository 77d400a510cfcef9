"""The engine: attributes in, attributes without identity out (PS3.15 §E.2, §E.3.10).

Every attribute that Table E.1-1 names gets its action, at every depth; private attributes go, and
with them standard ones that our dictionary does not know, since nobody can say what they hold.
Where the table leaves a choice that depends on the Type of the attribute, the choice is the one
that is conformant for each: what may be empty is emptied rather than removed.

UIDs are replaced by a keyed hash of themselves: the same UID becomes the same one in every object
and on every day, so references between objects stay whole, and nobody without the key finds the
way back (§E.1.1).
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from negatoscope.domain.deidentification.errors import BurnedIn
from negatoscope.standard import tags
from negatoscope.standard.confidentiality import ProfileAction, basic_profile_action

Attributes = dict[str, Any]

METHOD: Final = "PS3.15 Basic Application Level Confidentiality Profile"
_STANDARD_UIDS: Final = "1.2.840.10008."
_ENCAPSULATED_DOCUMENT: Final = 0x00420011
_CONTENT: Final = 0x0040A730
_DESIGNATOR: Final = "00080102"
_CODE: Final = frozenset({"00080100", _DESIGNATOR, "00080104"})
_PUBLISHED: Final = frozenset({"DCM", "SCT", "SRT", "LN", "UCUM", "FMA", "RADLEX", "MDC"})
"""Coding schemes (PS3.16 §8) whose codes name concepts, never a person or a place."""
_NO_CONTENT: Final = {
    "vr": "SQ",
    "Value": [
        {
            "0040A010": {"vr": "CS", "Value": ["CONTAINS"]},
            "0040A040": {"vr": "CS", "Value": ["TEXT"]},
            "0040A043": {
                "vr": "SQ",
                "Value": [
                    {
                        "00080100": {"vr": "SH", "Value": ["121106"]},
                        _DESIGNATOR: {"vr": "SH", "Value": ["DCM"]},
                        "00080104": {"vr": "LO", "Value": ["Comment"]},
                    }
                ],
            },
            "0040A160": {"vr": "UT", "Value": ["REMOVED"]},
        }
    ],
}
"""Instead of the content of a document: keeping some of it is an option (PS3.15 §E.3.4)."""
_BURNED_IN: Final = "00280301"
_CHARACTER_SET: Final = "00080005"
_NEVER: Final = frozenset({"00020000", "00080001"})
_DUMMIES: Final[Mapping[str, Any]] = {
    "AE": "REMOVED",
    "AS": "000Y",
    "CS": "REMOVED",
    "DA": "19000101",
    "DS": "0",
    "DT": "19000101000000",
    "IS": "0",
    "LO": "REMOVED",
    "LT": "REMOVED",
    "PN": {"Alphabetic": "REMOVED"},
    "SH": "REMOVED",
    "ST": "REMOVED",
    "TM": "000000",
    "UC": "REMOVED",
    "UR": "about:blank",
    "UT": "REMOVED",
    "AT": "00000000",
    **dict.fromkeys(("FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"), 0),
}
#: Of bytes: as short as the longest unit asks for.
_DUMMY_BYTES: Final = base64.b64encode(bytes(8)).decode("ascii")
_METHOD_CODES: Final = {
    "vr": "SQ",
    "Value": [
        {
            "00080100": {"vr": "SH", "Value": ["113100"]},
            "00080102": {"vr": "SH", "Value": ["DCM"]},
            "00080104": {
                "vr": "LO",
                "Value": ["Basic Application Confidentiality Profile"],
            },
        }
    ],
}
"""CID 7050."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deidentifier:
    """The Basic Profile, with one key.

    Attributes:
        key: Of the UIDs' hash: one for each use that must not be joined with another.
        patient_id: Instead of a dummy, for who keeps a table of pseudonyms.
        patient_name: Likewise.
        are_burned_in_taken: Objects whose pixels are said to tell whose they are pass.
    """

    key: bytes = field(repr=False)
    patient_id: str | None = None
    patient_name: str | None = None
    are_burned_in_taken: bool = False

    def attributes(self, given: Mapping[str, Any]) -> Attributes:
        """A data set (DICOM JSON, values inline) without identity.

        Raises:
            BurnedIn: its pixels tell whose they are.
        """
        burned = (given.get(_BURNED_IN) or {}).get("Value") or [""]
        if str(burned[0]).strip().upper() == "YES" and not self.are_burned_in_taken:
            raise BurnedIn("Burned In Annotation says that its pixels identify the patient")
        clean = self._data_set(given)
        for keyword, value in (("PatientID", self.patient_id), ("PatientName", self.patient_name)):
            if value is not None:
                tag = tags.tag_for_keyword(keyword) or 0
                vr = tags.vr_for(tag)
                clean[f"{tag:08X}"] = {
                    "vr": vr,
                    "Value": [{"Alphabetic": value} if vr == "PN" else value],
                }
        clean[_CHARACTER_SET] = {"vr": "CS", "Value": ["ISO_IR 192"]}
        clean["00120062"] = {"vr": "CS", "Value": ["YES"]}  # Patient Identity Removed
        clean["00120063"] = {"vr": "LO", "Value": [METHOD]}
        clean["00120064"] = _METHOD_CODES
        clean["00280303"] = {"vr": "CS", "Value": ["REMOVED"]}  # Longitudinal Temporal Information
        return dict(sorted(clean.items()))

    def uid(self, given: str) -> str:
        """The UID that stands for another; those that the standard defines stay themselves.

        Standard: PS3.5 §B.2, the 128 bits of a UUID of version 8 (RFC 9562 §5.8).
        """
        uid = given.strip("\0 ")
        if not uid or uid.startswith(_STANDARD_UIDS):
            return uid
        digest = hmac.digest(self.key, uid.encode(), "sha256")
        number = int.from_bytes(digest[:16], "big")
        number = number & ~(0xF << 76) | 8 << 76
        number = number & ~(0b11 << 62) | 0b10 << 62
        return f"2.25.{number}"

    def _data_set(self, given: Mapping[str, Any]) -> Attributes:
        clean: Attributes = {}
        for key, element in given.items():
            tag = int(key, 16)
            if key in _NEVER or not tag & 0xFFFF or tags.dictionary_vr(tag) is None:
                continue
            kept = self._element(tag, element)
            if kept is not None:
                clean[key] = kept
        return clean

    def _element(self, tag: int, element: Mapping[str, Any]) -> Mapping[str, Any] | None:
        vr = element.get("vr", "UN")
        match basic_profile_action(tag).choice:
            case ProfileAction.REMOVE:
                return None
            case ProfileAction.ZERO:
                return {"vr": vr}
            case ProfileAction.DUMMY if tag == _CONTENT:
                return _NO_CONTENT
            case ProfileAction.DUMMY:
                return self._dummy(tag, vr, element)
            case ProfileAction.UID if vr != "SQ":
                found = element.get("Value") or []
                return {"vr": "UI", "Value": [self.uid(str(one or "")) for one in found]}
            case _ if vr == "SQ":
                items = [self._data_set(item or {}) for item in element.get("Value") or []]
                return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
            case _:
                return element

    def _dummy(self, tag: int, vr: str, element: Mapping[str, Any]) -> Mapping[str, Any]:
        if vr == "UI":
            found = element.get("Value") or []
            return {"vr": vr, "Value": [self.uid(str(one or "")) for one in found]}
        if not element.get("Value") and "InlineBinary" not in element:
            return {"vr": vr}  # what was empty tells nothing
        if vr == "SQ":
            return {"vr": vr, "Value": [self._dummies(item) for item in element["Value"]]}
        if tag == _ENCAPSULATED_DOCUMENT or vr not in _DUMMIES:
            return {"vr": vr, "InlineBinary": _DUMMY_BYTES}
        return {"vr": vr, "Value": [_DUMMIES[vr]] * len(element["Value"])}

    def _dummies(self, given: Mapping[str, Any] | None) -> Attributes:
        """An item of a sequence that is replaced: its structure and published codes, no value else."""
        given = given or {}
        clean = self._data_set(given)
        designator = (clean.get(_DESIGNATOR) or {}).get("Value") or [""]
        is_published_code = designator[0] in _PUBLISHED
        for key, element in clean.items():
            vr = element.get("vr", "UN")
            if vr not in {"CS", "UI"} and not (is_published_code and key in _CODE):
                clean[key] = self._dummy(int(key, 16), vr, given[key] if vr == "SQ" else element)
        return clean
