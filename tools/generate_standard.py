"""Write `src/negatoscope/standard/_generated` from the dictionaries that pydicom publishes.

pydicom's tables are made from PS3.6 (edition 2024c in pydicom 3.0.2). What later editions added and
we already need stands in `UID_ADDITIONS`; an entry that pydicom has learnt is refused, so that one
source speaks for each UID.

    python tools/generate_standard.py            writes the files
    python tools/generate_standard.py --check    exits 1 when a file differs from what would be written
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._uid_dict import UID_dictionary
from pydicom._version import __dicom_version__

TARGET = Path(__file__).parents[1] / "src" / "negatoscope" / "standard" / "_generated"

#: PS3.6 Table A-1, editions after pydicom's: (name, type, retired, keyword).
UID_ADDITIONS: dict[str, tuple[str, str, str, str]] = {
    "1.2.840.10008.1.2.4.110": ("JPEG XL Lossless", "Transfer Syntax", "", "JPEGXLLossless"),
    "1.2.840.10008.1.2.4.111": (
        "JPEG XL JPEG Recompression",
        "Transfer Syntax",
        "",
        "JPEGXLJPEGRecompression",
    ),
    "1.2.840.10008.1.2.4.112": ("JPEG XL", "Transfer Syntax", "", "JPEGXL"),
    "1.2.840.10008.1.2.8.1": (
        "Deflated Image Frame Compression",
        "Transfer Syntax",
        "",
        "DeflatedImageFrameCompression",
    ),
    "1.2.840.10008.5.1.4.1.1.2.3": (
        "CT Image Storage - For Processing",
        "SOP Class",
        "",
        "CTImageStorageForProcessing",
    ),
    "1.2.840.10008.5.1.4.1.1.2.4": (
        "Enhanced CT Image Storage - For Processing",
        "SOP Class",
        "",
        "EnhancedCTImageStorageForProcessing",
    ),
    "1.2.840.10008.5.1.4.1.1.2.5": (
        "Legacy Converted Enhanced CT Image Storage - For Processing",
        "SOP Class",
        "",
        "LegacyConvertedEnhancedCTImageStorageForProcessing",
    ),
    "1.2.840.10008.5.1.4.1.1.9.100.1": (
        "Waveform Presentation State Storage",
        "SOP Class",
        "",
        "WaveformPresentationStateStorage",
    ),
    "1.2.840.10008.5.1.4.1.1.9.100.2": (
        "Waveform Acquisition Presentation State Storage",
        "SOP Class",
        "",
        "WaveformAcquisitionPresentationStateStorage",
    ),
    "1.2.840.10008.5.1.4.1.1.66.7": (
        "Label Map Segmentation Storage",
        "SOP Class",
        "",
        "LabelMapSegmentationStorage",
    ),
    "1.2.840.10008.5.1.4.1.1.66.8": (
        "Height Map Segmentation Storage",
        "SOP Class",
        "",
        "HeightMapSegmentationStorage",
    ),
    "1.2.840.10008.5.1.4.1.1.601.5": (
        "Ultrasound Waveform Storage",
        "SOP Class",
        "",
        "UltrasoundWaveformStorage",
    ),
}

#: Registered without a name or keyword (PS3.6 2015c, retired): what we call them.
NAMELESS = {
    "1.2.840.10008.5.1.4.1.1.12.77": ("Retired Storage (12.77)", "RetiredStorage1277"),
    "1.2.840.10008.5.1.4.1.1.40": ("Retired Storage (40)", "RetiredStorage40"),
}

_WORDS = re.compile(
    r"CTDI(?=vol)|[A-Z]{2,}s(?=[A-Z0-9]|$)|[0-9]+[A-Z]+(?![a-z])|[0-9]+|[A-Z]+(?=[A-Z][a-z])"
    r"|[A-Z]?[a-z]+|[A-Z]+"
)


def constant_name(keyword: str) -> str:
    """`StudyInstanceUID` becomes `STUDY_INSTANCE_UID`, `OtherPatientIDs` `OTHER_PATIENT_IDS`."""
    name = "_".join(_WORDS.findall(keyword)).upper()
    if name.replace("_", "") != keyword.upper():
        raise SystemExit(f"cannot split the keyword {keyword}")
    return name


def header(what: str) -> str:
    return (
        f'"""{what}\n\nMade by tools/generate_standard.py from PS3.6 {__dicom_version__}: '
        'change that, never this.\n"""\n\n'
    )


def registry() -> dict[str, tuple[str, str, str, str]]:
    """UID to (name, type, "Retired" or "", keyword), in the order of PS3.6."""
    entries = {
        uid: (name, kind, retired, keyword)
        for uid, (name, kind, _info, retired, keyword) in UID_dictionary.items()
    }
    for uid, entry in UID_ADDITIONS.items():
        if uid in entries and entries[uid] != entry:
            raise SystemExit(f"pydicom now defines {uid}: drop it from UID_ADDITIONS")
        entries[uid] = entry
    for uid, (name, keyword) in NAMELESS.items():
        _name, kind, retired, _keyword = entries[uid]
        entries[uid] = (name, kind, retired, keyword)
    return entries


def constants(pairs: Iterator[tuple[str, str]]) -> str:
    lines: list[str] = []
    seen: dict[str, str] = {}
    for keyword, value in pairs:
        name = constant_name(keyword)
        if name[0].isdigit():
            name = "_" + name
        if name in seen:
            raise SystemExit(f"{keyword} and {seen[name]} give the same constant")
        seen[name] = keyword
        lines.append(f"{name} = {value}")
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def repeaters() -> Iterator[tuple[int, int, tuple[str, str, str, str, str]]]:
    """(mask, value, entry): a tag belongs to the entry when tag & mask == value."""
    for pattern, entry in RepeatersDictionary.items():
        mask = int("".join("0" if c == "x" else "F" for c in pattern), 16)
        yield mask, int(pattern.replace("x", "0"), 16), entry


def files() -> dict[str, str]:
    """Name of each generated file and its text."""
    named = {tag: entry for tag, entry in DicomDictionary.items() if entry[4]}
    uids = registry()
    vrs = "".join(f'    0x{tag:08X}: "{entry[0]}",\n' for tag, entry in DicomDictionary.items())
    keywords = "".join(f'    0x{tag:08X}: "{entry[4]}",\n' for tag, entry in named.items())
    names = "".join(
        f"    0x{tag:08X}: ({quoted(name)}, {quoted(vm)}, {bool(retired)}),\n"
        for tag, (_vr, vm, name, retired, _keyword) in DicomDictionary.items()
    )
    repeating = "".join(
        f'    (0x{mask:08X}, 0x{value:08X}, "{vr}", "{vm}", {quoted(name)}, "{keyword}",'
        f" {bool(retired)}),\n"
        for mask, value, (vr, vm, name, retired, keyword) in repeaters()
    )
    uid_rows = "".join(
        f"    {quoted(uid)}: ({quoted(name)}, {quoted(kind)}, {quoted(keyword)}, {bool(retired)}),\n"
        for uid, (name, kind, retired, keyword) in uids.items()
    )
    storage = (
        (keyword, quoted(uid))
        for uid, (name, kind, _retired, keyword) in uids.items()
        if kind == "SOP Class" and "Storage" in name and "Storage Commitment" not in name
    )
    return {
        "__init__.py": header("Tables made from the standard's registries.").rstrip("\n") + "\n",
        "tag_constants.py": header("Every attribute's tag, by the keyword of PS3.6 §6.")
        + constants((entry[4], f"0x{tag:08X}") for tag, entry in named.items()),
        "tag_vrs.py": header("Value representation of every attribute (PS3.6 §6 to §9).")
        + "TAG_VRS: dict[int, str] = {\n"
        + vrs
        + "}\n",
        "tag_keywords.py": header("Keyword of every attribute (PS3.6 §6 to §9).")
        + "TAG_KEYWORDS: dict[int, str] = {\n"
        + keywords
        + "}\n",
        "tag_names.py": header("Name, value multiplicity, retired (PS3.6 §6 to §9).")
        + "TAG_NAMES: dict[int, tuple[str, str, bool]] = {\n"
        + names
        + "}\n",
        "tag_repeaters.py": header(
            "Repeating groups and elements: mask, value, VR, VM, name, keyword, retired."
        )
        + "TAG_REPEATERS: tuple[tuple[int, int, str, str, str, str, bool], ...] = (\n"
        + repeating
        + ")\n",
        "uid_registry.py": header("Every registered UID: name, type, keyword, retired (PS3.6 §A).")
        + "UID_REGISTRY: dict[str, tuple[str, str, str, bool]] = {\n"
        + uid_rows
        + "}\n",
        "storage_constants.py": header("Every storage SOP class, by its keyword (PS3.6 §A).")
        + constants(storage),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    stale = 0
    for name, text in files().items():
        path = TARGET / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if check:
            print(f"stale: {path}")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"written: {path}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
