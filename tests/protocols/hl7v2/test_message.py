"""Messages: official and faulty ones are read, what is written is read back."""

from datetime import UTC, datetime
from pathlib import Path

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negatoscope.protocols.hl7v2 import (
    NULL,
    AcknowledgmentCode,
    Delimiters,
    ErrorCode,
    MalformedMessage,
    Message,
    Segment,
    UnencodableText,
    acknowledge,
    decode,
    parse,
    wants_accept,
    wants_application,
)
from negatoscope.protocols.hl7v2.encoding import escape, unescape

HEADER = "MSH|^~\\&|HIS|CHU|RIS|CHU|20260102030405||ADT^A01^ADT_A01|77|P|2.5|||||FRA|UNICODE UTF-8"


def message(*lines: str, header: str = HEADER) -> Message:
    return parse("\r".join((header, *lines)).encode())


def samples(shared_data: Path) -> list[Path]:
    return sorted(
        path for path in (shared_data / "hl7").iterdir() if path.suffix in {".hl7", ".er7"}
    )


def test_published_messages_equal_another_reader(shared_data: Path) -> None:
    """Each field of each segment, as the package ``hl7`` reads it; written again it is the same."""
    for path in samples(shared_data):
        data = path.read_bytes()
        ours = parse(data)
        text = decode(data).text.replace("\r\n", "\r").replace("\n", "\r").strip("\r")
        lines = [line for line in text.split("\r") if line.strip()]
        if any(line[3:4] != "|" for line in lines):
            assert any("joined" in note for note in ours.notes), path.name
            continue  # a broken text field, which the other reader takes for a segment
        theirs = hl7.parse("\r".join(lines))
        assert [one.id for one in ours] == [str(one[0]) for one in theirs], path.name
        for mine, other in zip(ours, theirs, strict=True):
            assert list(mine.fields) == [str(field) for field in other], path.name
        assert parse(ours.written().encode(ours.header.codec)).written() == ours.written()


def test_a_french_admission(shared_data: Path) -> None:
    """Identifiers with their authority, names with their type, in UTF-8."""
    name = "pamfr_a01_ConsentementConsultation_NonOppositionAlimentation.er7"
    read = parse((shared_data / "hl7" / name).read_bytes())
    assert (read.type, read.message_structure, read.control_id) == ("ADT^A01", "ADT_A01", "3975")
    pid = read.first("PID")
    assert pid is not None
    assert pid.get(3) == "000003"
    assert (pid.get(3, 4), pid.get(3, 4, 2), pid.get(3, 4, 3)) == ("CHU-X", "000897406", "N")
    assert pid.get(3, 5, repetition=2) == "INS"
    assert pid.get(3, 4, 2, repetition=2).startswith("1.2.250.1.213.1.4.")
    assert "segments end with a line feed" in read.notes


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_ends_of_segments(end: str) -> None:
    read = parse(end.join((HEADER, "PID|1||42", "")).encode())
    assert [one.id for one in read] == ["MSH", "PID"]
    assert read.written().count("\r") == 2


def test_declared_delimiters_are_used() -> None:
    header = "MSH$%*!+$HIS$CHU$RIS$CHU$2026$$ADT%A08$1$P$2.3"
    read = message("PID$$$1%%%A+B*2%%%C$$D!S!E%F", header=header)
    pid = read.segments[1]
    assert [pid.get(3, repetition=1), pid.get(3, repetition=2)] == ["1", "2"]
    assert pid.get(3, 4, 2) == "B"
    assert pid.get(5) == "D%E"
    assert read.header.get(2) == "%*!+"
    assert read.written().startswith("MSH$%*!+$HIS$")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (r"A\F\B\S\C\T\D\R\E\E\F", r"A|B^C&D~E\F"),
        (r"one\.br\two\.sp2\three\.sp\x", "one\ntwo\n\nthree\nx"),
        (r"\H\bold\N\ text\Zlocal\.", "bold text."),
        (r"\XC3A9\t\X0D\u", "ét\ru"),
        (r"\C2842\\M2442\plain", "plain"),
        (r"C:\folder\file", r"C:\folder\file"),
        ("50\\", "50\\"),
        (r"\Xzz\ \unknown\ ", r"\Xzz\ \unknown\ "),
    ],
)
def test_escape_sequences(written: str, expected: str) -> None:
    """§2.7; what is no sequence stays as it is."""
    assert unescape(written) == expected


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_any_text_comes_back(text: str) -> None:
    """A carriage return is a line break where a line feed follows, else a byte."""
    expected = text.replace("\r\n", "\n").replace("\0", "")
    assert unescape(escape(text)) == expected
    segment = Segment.build("NTE", {3: text})
    read = message(segment.written())
    assert read.segments[1].get(3) == expected


scalars = st.text(alphabet="ab^~\\&|é ", max_size=6)
repetitions = st.lists(
    st.lists(st.lists(scalars, min_size=1, max_size=3).map(tuple), min_size=1, max_size=4).map(
        tuple
    ),
    min_size=1,
    max_size=3,
)


@given(repetitions)
def test_built_fields_are_read_back(value: list[tuple[tuple[str, ...], ...]]) -> None:
    segment = Segment.build("PID", {3: value}, Delimiters())
    pid = message(segment.written()).segments[1]
    for number, components in enumerate(value, start=1):
        for at, parts in enumerate(components, start=1):
            for sub, text in enumerate(parts, start=1):
                assert pid.get(3, at, sub, repetition=number) == text


@given(st.binary(max_size=400))
def test_any_bytes_are_a_message_or_refused(noise: bytes) -> None:
    for data in (noise, HEADER.encode() + b"\r" + noise):
        try:
            read = parse(data)
        except MalformedMessage as error:
            assert error.message
        else:
            assert parse(read.written().encode(read.header.codec, "replace")).control_id


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("PID|1", 0),
        ("MSH", 0),
        ("MSH|^^^^|A", 2),
        ("MSH|^~\\&|A|B|C|D|2026|||7|P|2.5", 9),
        ("MSH|^~\\&|A|B|C|D|2026||ADT^A01||P|2.5", 10),
        ("BHS|^~\\&|A|B|C|D|2026", 0),
        ("", 0),
    ],
)
def test_no_message(header: str, field: int) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse(header.encode())
    assert caught.value.field == field


def test_null_and_absent_differ() -> None:
    pid = message('PID|||1||""||').segments[1]
    assert (pid.get(5), pid.get(6)) == (NULL, "")


def test_line_breaks_inside_a_text_are_kept() -> None:
    """Some senders put bare line feeds into OBX-5."""
    read = message("OBX|1|TX|A||first line\nsecond line: |x", "NTE|1||after")
    assert [one.id for one in read] == ["MSH", "OBX", "NTE"]
    assert read.segments[1].get(5) == "first line\nsecond line: "
    assert any("joined" in note for note in read.notes)


@pytest.mark.parametrize(
    ("declared", "bytes_", "codec", "truth"),
    [
        ("8859/1", "é".encode("latin-1"), "iso8859-1", True),
        ("8859/15", "œ€".encode("iso8859-15"), "iso8859-15", True),
        ("UNICODE UTF-8", "é".encode(), "utf-8", True),
        ("8859/1", "é".encode(), "utf-8", False),
        ("UNICODE UTF-8", "é".encode("latin-1"), "cp1252", False),
        ("", "é".encode("latin-1"), "cp1252", False),
        ("martian", b"plain", "ascii", False),
        ("8859/1~UNICODE UTF-8", "é".encode("latin-1"), "iso8859-1", True),
    ],
)
def test_character_sets_that_lie(declared: str, bytes_: bytes, codec: str, truth: bool) -> None:
    header = HEADER.replace("UNICODE UTF-8", declared).encode()
    read = decode(header + b"\rPID|||1||" + bytes_)
    assert (read.codec, read.is_as_declared, read.is_damaged) == (codec, truth, False)
    assert read.text.endswith(bytes_.decode(codec))


def test_what_cannot_be_written_is_refused() -> None:
    header = {9: ("ADT", "A01", "ADT_A01"), 10: "1", 12: "2.5", 18: "8859/1"}
    made = Message.build([Segment.build("MSH", header), Segment.build("PID", {5: ("Łucja",)})])
    with pytest.raises(UnencodableText, match="U\\+0141"):
        made.to_bytes()


AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_an_acknowledgement_mirrors_the_message() -> None:
    asked = message("PID|||1")
    answer = acknowledge(asked, AcknowledgmentCode.APPLICATION_ACCEPT, control_id="A1", at=AT)
    assert answer.written() == (
        "MSH|^~\\&|RIS|CHU|HIS|CHU|20260102030405+0000||ACK^A01^ACK|A1|P|2.5|||||FRA|UNICODE UTF-8\r"
        "MSA|AA|77\r"
    )


def test_an_error_says_where_and_why() -> None:
    answer = acknowledge(
        message("PID|||1"),
        AcknowledgmentCode.APPLICATION_ERROR,
        control_id="A1",
        at=AT,
        error=ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        where=("PID", 3),
        reason="no patient with this identifier",
    )
    err = parse(answer.to_bytes()).first("ERR")
    assert err is not None
    assert (err.raw(2), err.raw(3), err.get(4), err.get(8)) == (
        "PID^1^3",
        "204^Unknown key identifier^HL70357",
        "E",
        "no patient with this identifier",
    )


@pytest.mark.parametrize(
    ("accept", "application", "due"),
    [
        ("", "", (False, False, True, True)),
        ("AL", "", (True, True, False, False)),
        ("AL", "AL", (True, True, True, True)),
        ("ER", "SU", (False, True, True, False)),
        ("NE", "ER", (False, False, False, True)),
        ("SU", "NE", (True, False, False, False)),
    ],
)
def test_which_acknowledgements_are_due(
    accept: str, application: str, due: tuple[bool, ...]
) -> None:
    """HL7 table 0155, for success and for failure."""
    fields = HEADER.split("|")
    fields[14:16] = accept, application
    asked = message(header="|".join(fields))
    assert due == (
        wants_accept(asked, successful=True),
        wants_accept(asked, successful=False),
        wants_application(asked, successful=True),
        wants_application(asked, successful=False),
    )


def test_an_acknowledgement_is_not_acknowledged() -> None:
    fields = HEADER.split("|")
    fields[8], fields[14], fields[15] = "ACK^T02^ACK", "AL", "AL"
    asked = message("MSA|AA|1", header="|".join(fields))
    assert not wants_application(asked, successful=True)


def test_orders_are_grouped() -> None:
    read = message("PID|1", "ORC|NW|1", "OBR|1", "IPC|1", "IPC|2", "ORC|NW|2", "OBR|2")
    assert [[one.id for one in group] for group in read.groups("ORC")] == [
        ["ORC", "OBR", "IPC", "IPC"],
        ["ORC", "OBR"],
    ]
