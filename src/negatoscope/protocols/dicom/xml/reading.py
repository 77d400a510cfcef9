"""XML of the Native DICOM Model to DICOM JSON model objects.

No document type, no entities, no network; depth and size are bounded. ``Value`` texts become the
JSON types of their VR (PS3.18 Table F.2.3-1).
"""

from collections.abc import Iterable
from typing import Any, Final

from lxml import etree

from negatoscope.protocols.dicom.dataset.limits import DEFAULT_LIMITS
from negatoscope.protocols.dicom.dataset.vr import VRS
from negatoscope.protocols.dicom.xml.errors import BadNativeModel
from negatoscope.protocols.dicom.xml.writing import COMPONENTS, GROUPS
from negatoscope.standard.tags import vr_for

DicomJson = dict[str, Any]

_INTEGERS: Final = frozenset({"IS", "SL", "SS", "SV", "UL", "US", "UV"})
_REALS: Final = frozenset({"DS", "FD", "FL"})
_MAX_VALUES: Final = 100_000
_FIRST_BLOCK: Final = 0x10


def parse_native_model(raw: bytes) -> DicomJson:
    """One data set.

    Raises:
        BadNativeModel: not XML, or not this model.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadNativeModel("the text is not XML") from error
    if root.getroottree().docinfo.doctype:
        raise BadNativeModel("a document type is not taken")
    if _name(root) != "NativeDicomModel":
        raise BadNativeModel("the root element is not NativeDicomModel")
    return _data_set(root, 0)


def _name(element: Any) -> str:
    """The local name; of an entity reference nothing."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _data_set(parent: Any, depth: int) -> DicomJson:
    if depth > DEFAULT_LIMITS.depth:
        raise BadNativeModel(f"more than {DEFAULT_LIMITS.depth} sequences in one another")
    found: DicomJson = {}
    private: list[tuple[str, str, DicomJson]] = []
    for element in parent:
        if _name(element) != "DicomAttribute":
            raise BadNativeModel("something that is no DicomAttribute")
        key = element.get("tag", "").upper()
        try:
            tag = int.from_bytes(bytes.fromhex(key), "big")
        except ValueError:
            tag = -1
        if tag < 0 or len(key) != 8:
            raise BadNativeModel("a tag is not eight hexadecimal digits")
        vr = element.get("vr") or vr_for(tag)
        if vr not in VRS:
            raise BadNativeModel(f"the value representation of {key} is not of the standard")
        attribute = _attribute(element, vr, depth)
        creator = element.get("privateCreator")
        if creator and tag >> 16 & 1 and not tag & 0xFF00:
            private.append((creator, key, attribute))
        elif key in found:
            raise BadNativeModel(f"{key} comes twice")
        else:
            found[key] = attribute
    for creator, key, attribute in private:
        found[_placed(found, creator, key)] = attribute
    return found


def _placed(found: DicomJson, creator: str, key: str) -> str:
    """The tag of a private attribute that names its creator and no block (PS3.5 §7.8.1)."""
    group, element = key[:4], key[6:]
    for block in range(_FIRST_BLOCK, 0x100):
        reserved = f"{group}00{block:02X}"
        holder = found.get(reserved)
        if holder is None:
            found[reserved] = {"vr": "LO", "Value": [creator]}
        elif holder.get("Value") != [creator]:
            continue
        return f"{group}{block:02X}{element}"
    raise BadNativeModel("no private block is free")


def _attribute(element: Any, vr: str, depth: int) -> DicomJson:
    children = list(element)
    kinds = {_name(child) for child in children}
    if not children:
        return {"vr": vr}
    if len(kinds) > 1:
        raise BadNativeModel("values of several kinds in one attribute")
    match kinds.pop():
        case "BulkData":
            uri = children[0].get("uri") or children[0].get("uuid")
            if not uri or len(children) > 1:
                raise BadNativeModel("bulk data without one uri")
            return {"vr": vr, "BulkDataURI": uri}
        case "InlineBinary":
            return {"vr": vr, "InlineBinary": "".join((children[0].text or "").split())}
        case "Item" if vr == "SQ":
            return {"vr": vr, "Value": [_data_set(child, depth + 1) for child in children]}
        case "PersonName" if vr == "PN":
            return {"vr": vr, "Value": _numbered(children, lambda child, _: _person_name(child))}
        case "Value" if vr not in ("SQ", "PN"):
            return {"vr": vr, "Value": _numbered(children, lambda child, _: _value(child, vr))}
    raise BadNativeModel(f"values that are none of {vr}")


def _numbered(children: Iterable[Any], read: Any) -> list[Any]:
    """Values at the places their numbers say, None between."""
    values: list[Any] = []
    for place, child in enumerate(children, 1):
        text = child.get("number") or str(place)
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
        if not len(values) < number <= _MAX_VALUES:
            raise BadNativeModel("the numbers of values do not ascend")
        values += [None] * (number - len(values) - 1)
        values.append(read(child, number))
    return values


def _value(element: Any, vr: str) -> Any:
    if len(element):
        raise BadNativeModel("a value holds elements")
    text: str = element.text or ""
    if vr in _INTEGERS:
        try:
            return int(text)
        except ValueError:
            return text.strip() or None
    if vr in _REALS:
        try:
            number = float(text)
        except ValueError:
            return text.strip() or None
        return number if vr != "DS" and number - number == 0 else text.strip()
    return text or None


def _person_name(element: Any) -> dict[str, str]:
    name: dict[str, str] = {}
    for group in element:
        if _name(group) not in GROUPS:
            raise BadNativeModel("a name holds something that is no component group")
        parts = {_name(part): part.text or "" for part in group}
        if not parts.keys() <= set(COMPONENTS):
            raise BadNativeModel("a name holds something that is no component")
        text = "^".join(parts.get(component, "") for component in COMPONENTS).rstrip("^")
        if text:
            name[_name(group)] = text
    return name
