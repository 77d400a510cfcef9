"""Units of the hospital: files as people have them, one label for a code on a day."""

from datetime import date

import pytest

from negatoscope.domain.patients.units import Unit, Units, UnitsRefused, read_csv
from negatoscope.infra.db import Database

FILE = """Code UF;Libellé;Type;Pôle;Début;Fin
6268;Chirurgie V;HOSPITALISATION;P1;01/01/2020;31/12/2025
6268;Chirurgie vasculaire;HOSPITALISATION;P1;2026-01-01;

8782;Urgences;;;;
"""


def test_a_file_is_read_as_spreadsheets_write_it() -> None:
    expected = [
        Unit(
            code="6268",
            label="Chirurgie V",
            kind="HOSPITALISATION",
            parent_code="P1",
            valid_from=date(2020, 1, 1),
            valid_until=date(2025, 12, 31),
        ),
        Unit(
            code="6268",
            label="Chirurgie vasculaire",
            kind="HOSPITALISATION",
            parent_code="P1",
            valid_from=date(2026, 1, 1),
        ),
        Unit(code="8782", label="Urgences"),
    ]
    assert read_csv(FILE.encode()) == expected
    assert read_csv(FILE.encode("cp1252")) == expected
    assert read_csv("\ufeff".encode() + FILE.replace(";", "\t").encode()) == expected
    assert read_csv(b'code,label\n1,"A, B"\n') == [Unit(code="1", label="A, B")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xef\xbb\xbf",
        bytes(range(256)) * 12,
        b"code,label\n1\0,b\n",
        b'code,label\n1,"' + b"x" * 200_000 + b'"\n',
        b"code,label\n" + b"1,b\n" * 100_000,
        "code,label\n1,b\n".encode("utf-16"),
    ],
)
def test_a_file_that_is_none_is_refused(content: bytes) -> None:
    """Noise, NUL, fields and files without end: a reason, never an error of the program."""
    with pytest.raises(UnitsRefused):
        read_csv(content)


def test_line_ends_and_marks_of_any_kind_are_read() -> None:
    """Carriage returns alone, a line end in quotes, a byte order mark before Windows-1252."""
    assert read_csv(b"code;label\r1;A\r2;B\r")[1] == Unit(code="2", label="B")
    assert read_csv(b'code;label\n1;"A\nB"\n')[0].label == "A\nB"
    assert read_csv(b"\xef\xbb\xbfcode;label\n1;\xe9\n") == [Unit(code="1", label="é")]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "headings"),
        ("code;nom\n1;A\n", 1, "headings"),
        ("code;label\n", 1, "no unit"),
        ("code;label\n1;\n", 2, "needed"),
        ("code;label;debut\n1;A;\n2;B;31/02/2026\n", 3, "no such day"),
        ("code;label;debut\n2;B;demain\n", 2, "a date is"),
        ("code;label;debut;fin\n2;B;2026-01-02;2026-01-01\n", 2, "ends before"),
        ("code;label\n1;" + "A" * 201 + "\n", 2, "longer"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(text: str, line: int, reason: str) -> None:
    with pytest.raises(UnitsRefused) as refused:
        read_csv(text.encode())
    assert refused.value.problems[0][0] == line
    assert reason in refused.value.problems[0][1]


def test_a_code_has_one_label_on_a_day(database: Database) -> None:
    with database.connection() as connection:
        units = Units(connection)
        units.learn("8782", "Urg", source="hl7:1")
        units.learn("8782", "Urgences bis", source="hl7:2")
        assert units.labels(["8782"], day=date(2026, 1, 1)) == {"8782": "Urg"}
        assert units.replace(read_csv(FILE.encode()), source="user:a") == 2
        labels = {
            year: units.labels(["6268", "8782", "", "0"], day=date(year, 6, 1))
            for year in (2019, 2024, 2026)
        }
        assert [one["6268"] for one in labels.values()] == [
            "Chirurgie vasculaire",
            "Chirurgie V",
            "Chirurgie vasculaire",
        ]
        assert labels[2026]["8782"] == "Urgences"
        assert [one.code for one in units.list(text="chirurgie", day=date(2026, 1, 1))] == ["6268"]
        assert [one.code for one in units.list(text="p1")] == ["6268", "6268"]
        first = units.list(limit=1)[0]
        assert len(units.list(after=(first.code, first.id))) == 2
        with pytest.raises(UnitsRefused, match="two labels"):
            units.replace([Unit(code="1", label="A"), Unit(code="1", label="B")], source="user:a")
