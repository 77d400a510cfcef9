"""DICOM JSON model objects to XML (PS3.19 Table A.1.5-2)."""

import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from negatoscope.standard.tags import keyword_for

MEDIA_TYPE: Final = "application/dicom+xml"
NAMESPACE: Final = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
COMPONENTS: Final = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
_ENTITIES: Final = {"\r": "&#13;"}
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CHARSET: Final = "00080005"
_UNICODE: Final[Mapping[str, Any]] = {"vr": "CS", "Value": ["ISO_IR 192"]}


def dump_native_model(data_set: Mapping[str, Any]) -> bytes:
    """One data set as a document in UTF-8.

    A character that XML 1.0 cannot hold (an escape sequence that was none) becomes U+FFFD.
    Specific Character Set says what the document is in.
    """
    pieces = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">',
        *_attributes(data_set),
        "</NativeDicomModel>",
    ]
    return "".join(pieces).encode("utf-8")


def _attributes(data_set: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(data_set):
        attribute: Mapping[str, Any] = data_set[key]
        attribute = _UNICODE if key == _CHARSET and "Value" in attribute else attribute
        tag = int(key, 16)
        head = f'<DicomAttribute tag="{key}" vr="{attribute["vr"]}"'
        if tag >> 16 & 1:
            if creator := _creator(data_set, key):
                head += f" privateCreator={quoteattr(_clean(creator), _ENTITIES)}"
        elif keyword := keyword_for(tag):
            head += f' keyword="{keyword}"'
        if "BulkDataURI" in attribute:
            yield f"{head}><BulkData uri={quoteattr(attribute['BulkDataURI'])}/></DicomAttribute>"
        elif "InlineBinary" in attribute:
            yield f"{head}><InlineBinary>{attribute['InlineBinary']}</InlineBinary></DicomAttribute>"
        elif attribute.get("Value"):
            yield head + ">"
            yield from _values(attribute["vr"], attribute["Value"])
            yield "</DicomAttribute>"
        else:
            yield head + "/>"


def _creator(data_set: Mapping[str, Any], key: str) -> str | None:
    """The private creator of a private attribute (PS3.5 §7.8.1)."""
    if key[4:6] == "00":
        return None
    found = data_set.get(f"{key[:4]}00{key[4:6]}", {}).get("Value")
    return found[0] if found and isinstance(found[0], str) else None


def _values(vr: str, values: list[Any]) -> Iterator[str]:
    for number, value in enumerate(values, 1):
        if vr == "SQ":
            yield f'<Item number="{number}">'
            yield from _attributes(value or {})
            yield "</Item>"
        elif value is None:
            continue
        elif vr == "PN":
            yield f'<PersonName number="{number}">{"".join(_name(value))}</PersonName>'
        else:
            yield f'<Value number="{number}">{_text(value)}</Value>'


def _name(value: Mapping[str, str] | str) -> Iterator[str]:
    groups = {"Alphabetic": value} if isinstance(value, str) else value
    for group in GROUPS:
        text = groups.get(group)
        if not text:
            continue
        yield f"<{group}>"
        for element, part in zip_longest(COMPONENTS, text.split("^", 4)):
            if part:
                yield f"<{element}>{_text(part)}</{element}>"
        yield f"</{group}>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return escape(_clean(value if isinstance(value, str) else str(value)), _ENTITIES)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
