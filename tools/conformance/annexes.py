"""§4 to §7: media, character sets, security, annexes."""
# ruff: noqa: E501 - lines of the page are its own

from conformance.markdown import table
from negatoscope.protocols.dicom.dimse.tls import TLS12_SUITES
from negatoscope.protocols.dicom.pixel.codecs import CODECS
from negatoscope.standard.sop_classes import (
    NON_PATIENT_STORAGE_SOP_CLASSES,
    SOP_CLASSES,
    STORAGE_SOP_CLASSES,
)
from negatoscope.standard.transfer_syntaxes import TRANSFER_SYNTAXES


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


def changes() -> str:
    """§7.4."""
    return """### 7.4 Attributes created or changed

None in stored data sets. The preamble and file meta information are the archive's own (PS3.10 §7.1). An object of a study whose patient was
merged, renamed or corrected since, or that was moved to another patient, is given out with that patient's name, identifiers, birth date and
sex; what it said before is in its Original Attributes Sequence (0400,0561; PS3.3 §C.12.1.1.9).
"""
