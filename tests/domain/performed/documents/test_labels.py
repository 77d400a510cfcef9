"""Labels are read back by a stranger's reader; what a name holds is printed, never carried out."""

import random
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from negatoscope.domain.performed.documents import (
    CannotRender,
    Label,
    LabelSize,
    label_pdf,
    label_zpl,
)
from negatoscope.domain.performed.documents.code128 import bars, module_count, symbols

PARIS = ZoneInfo("Europe/Paris")
SIZE = LabelSize(width_mm=70, height_mm=37, columns=3, rows=8)
MARKUP = "D'ÈZE #panic(1) $x$ \\ *b* <b> ^XZ ~JA"


def label(**more):
    values = {
        "birth_name": "LEFÈVRE-DUBOIS",
        "first_birth_name": "Marie-Hélène",
        "used_name": "DUBOIS Hélène",
        "birth_date": "19480314",
        "sex": "F",
        "patient_id": "8001458213",
        "authority": "CHU-VALMOREL",
        "accession_number": "26D0000042",
        "procedure": "Scanner thoracique injecté",
        "modality": "CT",
        "start_at": datetime(2026, 12, 1, 8, 5, tzinfo=UTC),
        "requesting_service": "2031",
    }
    return Label(**values | more)


def picture(text):
    """The bars of a text as pixels."""
    image = Image.new("L", ((module_count(text) + 20) * 2, 80), 255)
    for at, width in bars(text):
        image.paste(0, ((at + 10) * 2, 0, (at + 10 + width) * 2, 80))
    return image


def read(image):
    """What stands in each code, by its format's name without spaces."""
    return {str(one.format).replace(" ", ""): one.text for one in zxingcpp.read_barcodes(image)}


def pages(pdf, scale=6):
    document = pypdfium2.PdfDocument(pdf)
    return [
        (page.get_size(), page.get_textpage().get_text_range(), page.render(scale=scale).to_pil())
        for page in document
    ]


def test_code_128_is_read_back():
    known = ["A", "42", "123", "26D0000042", "00112233445566", "A~ !z", "AB1234CD12345E", "1234567"]
    generator = random.Random(7)
    letters = [chr(one) for one in range(32, 127)]
    known += ["".join(generator.choices(letters, k=generator.randint(1, 16))) for _ in range(20)]
    known += ["".join(generator.choices("0123456789A", k=12)) for _ in range(20)]
    for text in known:
        found = zxingcpp.read_barcodes(picture(text))
        assert [one.text for one in found] == [text]


def test_code_128_is_short_and_refuses_what_it_has_not():
    assert symbols("00112233") == [105, 0, 11, 22, 33, (105 + 0 + 22 + 66 + 132) % 103]
    assert len(symbols("26D0000042")) < len("26D0000042") + 2
    for text in ("", "é", "a\nb", "\x7f"):
        with pytest.raises(ValueError, match="ASCII"):
            symbols(text)


def test_a_label_has_the_traits_and_its_codes():
    ((size, text, image),) = pages(label_pdf([label()], SIZE, zone=PARIS))
    assert size == pytest.approx((70 / 25.4 * 72, 37 / 25.4 * 72), abs=0.1)
    for part in (
        "LEFÈVRE-DUBOIS",
        "Marie-Hélène",
        "14/03/1948",
        "F",
        "DUBOIS Hélène",
        "8001458213",
    ):
        assert part in text, part
    assert "01/12/2026 09:05" in text
    assert read(image) == {
        "Code128": "26D0000042",
        "DataMatrix": "8001458213^^^CHU-VALMOREL^PI|26D0000042",
    }


def test_a_name_is_data():
    ((_, text, image),) = pages(
        label_pdf([label(birth_name=MARKUP, procedure=MARKUP, used_name=MARKUP)], SIZE, zone=PARIS)
    )
    assert "#panic(1) $x$ \\ *b* <b> ^XZ ~JA" in text
    assert read(image)["Code128"] == "26D0000042"


def test_what_is_not_known_is_left_out():
    bare = label(birth_date="1948", sex="", used_name="", patient_id="", start_at=None)
    ((_, text, image),) = pages(label_pdf([bare], SIZE, zone=PARIS))
    assert "1948" in text
    assert "util." not in text
    assert read(image)["DataMatrix"] == "^^^CHU-VALMOREL^PI|26D0000042"


def test_sheets_begin_where_the_last_ended():
    made = pages(label_pdf([label()] * 24, SIZE, zone=PARIS, is_sheet=True, skip=3), scale=1)
    assert [size for size, _, _ in made] == [pytest.approx((595.3, 841.9), abs=0.1)] * 2
    assert [text.count("26D0000042") for _, text, _ in made] == [21, 3]


def test_refusals():
    with pytest.raises(CannotRender, match="Code 128"):
        label_pdf([label(accession_number="é")], SIZE, zone=PARIS)
    for count in (0, 500):
        with pytest.raises(CannotRender, match="labels"):
            label_pdf([label()] * count, SIZE, zone=PARIS)


def test_zpl_is_commands_we_meant_and_no_others():
    made = label_zpl(label(birth_name=MARKUP), SIZE, dots_per_mm=8, zone=PARIS, copies=2).decode()
    assert made.startswith("^XA\n^CI28\n^PW560\n^LL296\n")
    assert made.endswith("^XZ\n")
    commands = set(re.findall(r"[\^~][A-Z][A-Z0-9@]", made))
    assert commands == {
        "^XA", "^CI", "^PW", "^LL", "^LH", "^PQ", "^FO", "^A0", "^FB", "^FH", "^FD", "^FS",
        "^BX", "^BY", "^BC", "^XZ",
    }  # fmt: skip
    assert made.count("^XA") == made.count("^XZ") == 1
    assert "D'ÈZE #panic(1) $x$ _5C *b* <b> _5EXZ _7EJA^FS" in made
    assert "^BCN,59,Y,N,N,A^FH^FD26D0000042^FS" in made
    assert "^PQ2" in made
    assert "_5E_5E_5ECHU-VALMOREL_5EPI|26D0000042" in made
    assert label_zpl(label(procedure="a\nb\x00"), SIZE, dots_per_mm=8, zone=PARIS).count(b"\n") == (
        made.encode().count(b"\n")
    )
