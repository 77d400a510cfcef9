"""DICOM JSON text: arrays that stream, shapes that are checked."""

import orjson
import pytest

from negatoscope.protocols.dicom.json import (
    ArrayWriter,
    BadDicomJson,
    dump_array,
    dump_data_set,
    in_unicode,
    parse_data_sets,
)

ONE = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Dupré^Zoé"}]}, "00080060": {"vr": "CS"}}


def test_attributes_are_written_in_ascending_order():
    """PS3.18 §F.2.1.1, whatever the order of the model object."""
    assert dump_data_set(ONE).startswith(b'{"00080060"')
    assert orjson.loads(dump_data_set(ONE)) == ONE


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_array_is_the_same_streamed_or_whole(count):
    """Empty arrays included; items may come as bytes already."""
    writer = ArrayWriter()
    streamed = b"".join(writer.item(ONE) for _ in range(count)) + writer.close()
    ready = b"".join(ArrayWriter().chunks([dump_data_set(ONE)] * count))
    assert streamed == ready == dump_array([ONE] * count)
    assert orjson.loads(streamed) == [ONE] * count
    assert parse_data_sets(streamed) == [ONE] * count


@pytest.mark.parametrize(
    "text", [b"", b"[", b"1", b"[1]", b'{"x": {}}', b'{"00100010": 1}', b"\xff", b"[[]]", b"null"]
)
def test_other_shapes_are_refused(text):
    """Whatever a client posts, the error is ours."""
    with pytest.raises(BadDicomJson):
        parse_data_sets(text)


def test_character_sets_of_the_bytes_become_that_of_the_json():
    """At every level, and nothing else changes."""
    item = {"00080005": {"vr": "CS", "Value": ["ISO_IR 100"]}, "00080100": {"vr": "SH"}}
    data_set = {**ONE, "00080005": {"vr": "CS", "Value": ["ISO_IR 13"]},
                "00400275": {"vr": "SQ", "Value": [item]}}  # fmt: skip
    changed = in_unicode(data_set)
    assert changed["00080005"]["Value"] == ["ISO_IR 192"]
    assert changed["00400275"]["Value"][0]["00080005"]["Value"] == ["ISO_IR 192"]
    assert changed["00100010"] == ONE["00100010"]
    assert data_set["00080005"]["Value"] == ["ISO_IR 13"]
