"""Write `src/negatoscope/standard/_generated/confidentiality_profile.py` from the lists of dicom-anonymizer.

That package (BSD 3-clause) publishes the attributes of PS3.15 Table E.1-1 with their action in the
Basic Profile. It is needed for this alone: install it by hand before.

    pip install dicom-anonymizer==2.1.0 && python tools/generate_confidentiality.py
"""

import importlib
import sys
from pathlib import Path

EDITION = "2026c"
TARGET = (
    Path(__file__)
    .parents[1]
    .joinpath("src", "negatoscope", "standard", "_generated", "confidentiality_profile.py")
)
ACTIONS = {
    "D_TAGS": "D",
    "Z_TAGS": "Z",
    "X_TAGS": "X",
    "U_TAGS": "U",
    "Z_D_TAGS": "Z/D",
    "X_Z_TAGS": "X/Z",
    "X_D_TAGS": "X/D",
    "X_Z_D_TAGS": "X/Z/D",
    "X_Z_U_STAR_TAGS": "X/Z/U*",
}


def main() -> int:
    lists = importlib.import_module(
        f"dicomanonymizer.dicom_anonymization_databases.dicomfields_{EDITION}"
    )
    plain: dict[int, str] = {}
    repeating: dict[tuple[int, int], str] = {}
    for name, action in ACTIONS.items():
        for group, element, *mask in getattr(lists, name):
            tag = group << 16 | element
            if mask:
                repeating[mask[0] << 16 | mask[1], tag] = action
            elif plain.setdefault(tag, action) != action:
                raise SystemExit(f"{tag:08X} has two actions")
    rows = "".join(f'    0x{tag:08X}: "{action}",\n' for tag, action in sorted(plain.items()))
    masks = "".join(
        f'    (0x{mask:08X}, 0x{tag:08X}, "{action}"),\n'
        for (mask, tag), action in sorted(repeating.items())
    )
    TARGET.write_text(
        f'"""Basic Application Level Confidentiality Profile (PS3.15 {EDITION} Table E.1-1).\n\n'
        "Made by tools/generate_confidentiality.py from the lists that dicom-anonymizer (BSD 3-clause)\n"
        'publishes: change that, never this.\n"""\n\n'
        f"ACTIONS: dict[int, str] = {{\n{rows}}}\n\n"
        f"REPEATING_ACTIONS: tuple[tuple[int, int, str], ...] = (\n{masks})\n",
        encoding="utf-8",
    )
    print(f"{len(plain) + len(repeating)} attributes: {TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
