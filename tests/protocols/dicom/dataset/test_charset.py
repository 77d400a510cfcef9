"""Text: the examples of PS3.5 Annexes H to K, real files, lies, and round trips."""

from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negatoscope.protocols.dicom.dataset.charset import (
    TextDecoder,
    TextEncoder,
    codec_for,
    parse_terms,
)

#: PS3.5 §H.3, §I.2, §J.3, §K.3 and §C.12.1.1.2: terms, bytes, text.
EXAMPLES = [
    (("ISO_IR 100",), b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
    (("ISO_IR 144",), b"\xbb\xee\xda\x63\x65\xdc\xd1yp\xd3", "Люкceмбypг"),
    (("ISO_IR 126",), b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"),
    (("ISO_IR 192",), "Wang^XiaoDong=王^小东".encode(), "Wang^XiaoDong=王^小东"),
    (("GB18030",), "Wang^XiaoDong=王^小东".encode("gb18030"), "Wang^XiaoDong=王^小东"),
    (
        ("", "ISO 2022 IR 87"),
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
    ),
    (
        ("ISO 2022 IR 13", "ISO 2022 IR 87"),
        (b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J"
        b"=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J"),
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    ),
    (
        ("", "ISO 2022 IR 149"),
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
        "Hong^Gildong=洪^吉洞=홍^길동",
    ),
    (
        ("", "ISO 2022 IR 58"),
        b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=",
        "Zhang^XiaoDong=张^小东=",
    ),
    (
        ("ISO 2022 IR 100", "ISO 2022 IR 144"),
        b"Dionys\xe9 \x1b-L\xbb\xee\xda",
        "Dionysé Люк",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("terms", "raw", "text"), EXAMPLES)
def test_the_standards_examples_decode(terms, raw, text):
    """Code extension, its resets at delimiters, and sets without it."""
    decoder = TextDecoder(terms)
    assert decoder.decode(raw, is_person_name=True) == text
    assert not decoder.is_lossy
    assert not decoder.is_unknown


@pytest.mark.parametrize(("terms", "raw", "text"), EXAMPLES)
def test_what_is_encoded_decodes_to_the_same(terms, raw, text):
    """The bytes may differ from the example's, the text may not."""
    encoded = TextEncoder(terms).encode(text, is_person_name=True)
    assert encoded is not None
    decoder = TextDecoder(terms)
    assert decoder.decode(encoded, is_person_name=True) == text
    assert not decoder.is_lossy


def test_sets_are_not_written_beyond_what_the_standard_gives_them():
    """JIS X 0201 has no kanji, and KS X 1001 never comes by a Japanese term."""
    assert TextEncoder(("ISO_IR 13",)).encode("山田") is None
    raw = TextEncoder(("ISO 2022 IR 13", "ISO 2022 IR 87")).encode("ﾔﾏ山田")
    assert raw == b"\xd4\xcf\x1b$B;3ED\x1b(B"
    assert TextEncoder(("", "ISO 2022 IR 159")).encode("홍") is None


@given(st.text(), st.sampled_from([row[0] for row in EXAMPLES]), st.booleans())
def test_encoding_says_no_or_comes_back(text, terms, is_person_name):
    """Any text in any sets: None, or bytes that decode to it."""
    if any(c in text for c in "\x1b\x0e\x0f~"):
        return
    raw = TextEncoder(terms).encode(text, is_person_name=is_person_name)
    if raw is not None:
        assert TextDecoder(terms).decode(raw, is_person_name=is_person_name) == text


@given(st.binary(), st.sampled_from([*(row[0] for row in EXAMPLES), ("X",), (), ("ISO_IR 166",)]))
def test_decoding_never_fails(raw, terms):
    """Whatever the bytes and the sets; the result can be written as UTF-8."""
    TextDecoder(terms).decode(raw).encode()
    TextDecoder(terms).decode(b"\x1b$B" + raw, is_person_name=True).encode()


def test_names_of_real_objects_equal_pydicoms(shared_data: Path):
    """One object per character set; pydicom leaves the escapes of GB 2312 in the text."""
    compared = 0
    for path in sorted((shared_data / "charsets").glob("*.dcm")):
        if path.name == "chrGB2312.dcm":
            continue
        data_set = pydicom.dcmread(path)
        name = data_set.get("PatientName")
        if name is None:
            continue
        terms = data_set.get("SpecificCharacterSet") or ()
        decoder = TextDecoder((terms,) if isinstance(terms, str) else tuple(terms))
        raw = name.original_string
        ours = decoder.decode(raw, is_person_name=True)
        assert ours.rstrip() == str(name).rstrip(), path.name
        compared += 1
    assert compared > 12


@pytest.mark.parametrize(
    ("term", "codec"),
    [
        ("ISO_IR 100", "latin-1"),
        ("ISO-IR 100", "latin-1"),
        ("ISO IR 100", "latin-1"),
        ("ISO 2022 IR 100", "latin-1"),
        ("iso_ir 192", "utf-8"),
        ("UTF-8", "utf-8"),
        ("GBK", "gbk"),
        ("", "ascii"),
        ("ISO_IR 999", None),
        ("LATIN1", None),
    ],
)
def test_terms_and_their_usual_misspellings(term, codec):
    """Tolerant in what names a set, not in what the set is."""
    assert codec_for(term) == codec


def test_undeclared_text_is_read_as_its_sender_meant():
    """UTF-8 where valid, else Latin-1, and flagged either way."""
    for raw in ("Zoé".encode(), "Zoé".encode("latin-1")):
        decoder = TextDecoder(())
        assert decoder.decode(raw) == "Zoé"
        assert decoder.is_lossy


def test_a_declared_set_that_lies_gives_replacement_characters():
    """No guess against what was declared."""
    decoder = TextDecoder(("ISO_IR 192",))
    assert decoder.decode(b"Zo\xe9") == "Zo\N{REPLACEMENT CHARACTER}"
    assert decoder.is_lossy


def test_terms_are_split_as_sent():
    """Empty first values and padding included."""
    assert parse_terms(b"\\ISO 2022 IR 87 ") == ("", "ISO 2022 IR 87")
    assert parse_terms(b"ISO_IR 192") == ("ISO_IR 192",)
    assert parse_terms(b"") == ()
    assert parse_terms(b"\xff\xfe") != ()
