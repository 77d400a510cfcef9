"""Objects that are read rather than looked at: encapsulated documents, reports, presentation states."""

import html
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.viewing.pixels import PixelService
from negatoscope.protocols.dicom.pixel.display.attributes import (
    binary,
    code_meaning,
    first_item,
    integers,
    items,
    text,
    values,
)
from negatoscope.standard import tags

PAGE_TYPES: Final = ("image/jpeg", "image/png")
_MAX_DEPTH: Final = 30
_MAX_LINES: Final = 20_000
_OF_ONE: Final = (
    "shutters, displayed area, rotation and flip, overlays, graphic annotations and layers"
)
PRESENTATION_STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "1.2.840.10008.5.1.4.1.1.11.1": f"Modality LUT, Softcopy VOI LUT, Presentation LUT; {_OF_ONE}",
        "1.2.840.10008.5.1.4.1.1.11.2": f"ICC profile of the state; {_OF_ONE}",
        "1.2.840.10008.5.1.4.1.1.11.3": (
            f"Modality LUT, Softcopy VOI LUT, palette and ICC profile of the state; {_OF_ONE}"
        ),
        "1.2.840.10008.5.1.4.1.1.11.4": (
            "Modality LUT and Softcopy VOI LUT of both inputs, palette of the superimposed, Relative Opacity, "
            "Spatial Registration (affine), ICC profile of the state; displayed area, rotation and flip, overlays, "
            "graphic annotations and layers. Both inputs are in the study of the state, monochrome, in one frame "
            "of reference by themselves or by the registration, and in parallel planes: the superimposed is "
            "interpolated to the underlying pixels. Otherwise 406 with the reason"
        ),
        "1.2.840.10008.5.1.4.1.1.11.5": (
            f"Modality LUT, Softcopy VOI LUT, Presentation LUT; {_OF_ONE}; no mask subtraction"
        ),
    }
)
"""What pictures of presentation states show, by SOP class (PS3.4 §N.2)."""
_OTHER_STATES: Final = "1.2.840.10008.5.1.4.1.1.11."


class DocumentKind(Enum):
    """What an object is, if it is no image, and what it can be given as, the default first."""

    NONE = ()
    PDF = ("application/pdf", *PAGE_TYPES)
    CDA = ("text/plain", "text/xml")
    REPORT = ("text/html", "text/plain")
    PRESENTATION_STATE = ("image/jpeg", "image/png", "image/gif")
    WAVEFORM = ("image/png", "image/jpeg")

    @property
    def media_types(self) -> tuple[str, ...]:
        """The default first."""
        return tuple(self.value)


def kind_of(sop_class_uid: str) -> DocumentKind:
    """By SOP class."""
    if sop_class_uid == "1.2.840.10008.5.1.4.1.1.104.1":
        return DocumentKind.PDF
    if sop_class_uid == "1.2.840.10008.5.1.4.1.1.104.2":
        return DocumentKind.CDA
    if sop_class_uid.startswith("1.2.840.10008.5.1.4.1.1.88."):
        return DocumentKind.REPORT
    if sop_class_uid.startswith("1.2.840.10008.5.1.4.1.1.9."):
        return DocumentKind.WAVEFORM
    if sop_class_uid in PRESENTATION_STATES:
        return DocumentKind.PRESENTATION_STATE
    return DocumentKind.NONE


def why_not_shown(sop_class_uid: str) -> str:
    """The reason for who asks for a picture of an object that has none."""
    if sop_class_uid.startswith(_OTHER_STATES):
        return (
            "This presentation state puts several images, or planes of a volume, together: "
            "one of its images alone is not what it shows."
        )
    return "Objects of this kind are not shown."


class Documents:
    """Gives documents.

    Args:
        pixels: Whose worker processes draw first pages.
    """

    def __init__(self, pixels: PixelService) -> None:
        self._pixels = pixels

    def give(
        self, stored: StoredInstance, data_set: Mapping[str, Any], media_type: str
    ) -> bytes | None:
        """The document in a media type of its kind; ``None`` when it holds none."""
        match kind_of(stored.sop_class_uid):
            case DocumentKind.PDF:
                return encapsulated(data_set) or None
            case DocumentKind.CDA:
                return encapsulated(data_set) or None
            case DocumentKind.REPORT:
                if media_type == "text/html":
                    return report_html(data_set).encode()
                return report_text(data_set).encode()
            case _:
                return None

    def drawing(
        self, stored: StoredInstance, data_set: Mapping[str, Any]
    ) -> tuple[str | None, tuple[dict[str, Any], Sequence[bytes]]]:
        """The worker function that draws a document's first page, its arguments and payload."""
        if kind_of(stored.sop_class_uid) is DocumentKind.PDF:
            return "page", ({}, (encapsulated(data_set),))
        if kind_of(stored.sop_class_uid) is DocumentKind.WAVEFORM:
            kept = f"{tags.WAVEFORM_SEQUENCE:08X}"
            return "waveform", ({"data_set": {kept: data_set.get(kept, {})}}, ())
        return None, ({}, ())


def encapsulated(data_set: Mapping[str, Any]) -> bytes:
    """Encapsulated Document (0042,0011), without its padding (PS3.3 §C.24.2)."""
    document = binary(data_set, tags.ENCAPSULATED_DOCUMENT)
    lengths = integers(data_set, tags.ENCAPSULATED_DOCUMENT_LENGTH)
    if lengths and 0 < lengths[0] <= len(document):
        return document[: lengths[0]]
    return document.removesuffix(b"\0")


def _lines(data_set: Mapping[str, Any]) -> Iterator[tuple[int, str, str]]:
    """Depth, name and value of every content item, in their order (PS3.3 §C.17.3)."""
    stack = [(0, item) for item in reversed(items(data_set, tags.CONTENT_SEQUENCE))]
    count = 0
    while stack:
        depth, item = stack.pop()
        count += 1
        if count > _MAX_LINES:
            yield depth, "…", "more than can be shown here"
            return
        name = code_meaning(first_item(item, tags.CONCEPT_NAME_CODE_SEQUENCE)) or ""
        yield depth, name, value_of(item)
        if depth < _MAX_DEPTH:
            children = items(item, tags.CONTENT_SEQUENCE)
            stack.extend((depth + 1, child) for child in reversed(children))


def value_of(item: Mapping[str, Any]) -> str:
    """The value of a content item as text; empty for a container."""
    kind = text(item, tags.VALUE_TYPE) or ""
    match kind:
        case "TEXT":
            return text(item, tags.TEXT_VALUE) or ""
        case "CODE":
            return code_meaning(first_item(item, tags.CONCEPT_CODE_SEQUENCE)) or ""
        case "NUM":
            return _measured(item)
        case "PNAME":
            return person(item, tags.PERSON_NAME)
        case "DATE":
            return text(item, tags.DATE) or ""
        case "TIME":
            return text(item, tags.TIME) or ""
        case "DATETIME":
            return text(item, tags.DATE_TIME) or ""
        case "UIDREF":
            return text(item, tags.UID) or ""
        case "IMAGE" | "COMPOSITE" | "WAVEFORM":
            return _referenced(item, kind)
        case "SCOORD" | "SCOORD3D" | "TCOORD":
            graphic = text(item, tags.GRAPHIC_TYPE) or text(item, tags.TEMPORAL_RANGE_TYPE) or ""
            points = len(values(item, tags.GRAPHIC_DATA))
            return f"{graphic} ({points} coordinates)" if points else graphic
        case _:
            return ""


def _measured(item: Mapping[str, Any]) -> str:
    measured = first_item(item, tags.MEASURED_VALUE_SEQUENCE)
    if measured is None:
        return code_meaning(first_item(item, tags.NUMERIC_VALUE_QUALIFIER_CODE_SEQUENCE)) or ""
    numbers = " \\ ".join(str(value) for value in values(measured, tags.NUMERIC_VALUE))
    unit = first_item(measured, tags.MEASUREMENT_UNITS_CODE_SEQUENCE)
    symbol = "" if unit is None else text(unit, tags.CODE_VALUE) or ""
    return numbers if symbol in ("", "1") else f"{numbers} {symbol}"


def _referenced(item: Mapping[str, Any], kind: str) -> str:
    reference = first_item(item, tags.REFERENCED_SOP_SEQUENCE) or {}
    uid = text(reference, tags.REFERENCED_SOP_INSTANCE_UID) or ""
    frames = integers(reference, tags.REFERENCED_FRAME_NUMBER)
    listed = f", frames {', '.join(map(str, frames[:20]))}" if frames else ""
    return f"{kind.lower()} {uid}{listed}"


def person(data_set: Mapping[str, Any], tag: int) -> str:
    """A person name for people: its alphabetic group with spaces."""
    for name in values(data_set, tag)[:1]:
        if isinstance(name, Mapping):
            whole = str(name.get("Alphabetic") or name.get("Ideographic") or "")
            return " ".join(part for part in whole.split("^") if part)
    return ""


def _title(data_set: Mapping[str, Any]) -> str:
    return code_meaning(first_item(data_set, tags.CONCEPT_NAME_CODE_SEQUENCE)) or "Report"


def _head(data_set: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [
        ("Patient", person(data_set, tags.PATIENT_NAME)),
        ("Patient ID", text(data_set, tags.PATIENT_ID) or ""),
        ("Birth date", text(data_set, tags.PATIENT_BIRTH_DATE) or ""),
        ("Study date", text(data_set, tags.STUDY_DATE) or ""),
        ("Study", text(data_set, tags.STUDY_DESCRIPTION) or ""),
        ("Completion", text(data_set, tags.COMPLETION_FLAG) or ""),
        ("Verification", text(data_set, tags.VERIFICATION_FLAG) or ""),
    ]
    return [(name, value) for name, value in found if value]


def report_text(data_set: Mapping[str, Any]) -> str:
    """The content tree as indented lines."""
    out = [_title(data_set), ""]
    out += [f"{name}: {value}" for name, value in _head(data_set)]
    out.append("")
    for depth, name, value in _lines(data_set):
        shown = f"{name}: {value}" if value and name else name or value
        out.append("  " * depth + shown.replace("\r\n", "\n").replace("\n", "\n" + "  " * depth))
    return "\n".join(out) + "\n"


def report_html(data_set: Mapping[str, Any]) -> str:
    """The content tree as nested lists; every text escaped, no script, no reference outside."""
    title = html.escape(_title(data_set))
    out = [
        '<!DOCTYPE html><html><head><meta charset="utf-8">',
        f"<title>{title}</title></head><body><h1>{title}</h1><dl>",
    ]
    out += [
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>"
        for name, value in _head(data_set)
    ]
    out.append("</dl>")
    depth = -1
    for level, name, value in _lines(data_set):
        if level > depth:
            out.append("<ul>" * (level - depth))
        else:
            out.append("</li>" + "</ul></li>" * (depth - level))
        depth = level
        shown = f"<b>{html.escape(name)}</b> " if name else ""
        out.append(f"<li><p>{shown}{html.escape(value)}</p>")
    out.append("</li></ul>" * (depth + 1) + "</body></html>")
    return "".join(out)
