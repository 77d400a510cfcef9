"""DICOM JSON model objects to and from UTF-8 bytes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from negatoscope.protocols.dicom.json.errors import BadDicomJson

DicomJson = dict[str, Any]

MEDIA_TYPE: Final = "application/dicom+json"
_CHARSET: Final = "00080005"
_UNICODE: Final = {"vr": "CS", "Value": ["ISO_IR 192"]}
_KEY_CHARACTERS: Final = 8


def dump_data_set(data_set: Mapping[str, Any]) -> bytes:
    """One data set, its attributes in ascending order (PS3.18 §F.2.1.1)."""
    return orjson.dumps(data_set, option=orjson.OPT_SORT_KEYS)


def dump_array(data_sets: Iterable[Mapping[str, Any]]) -> bytes:
    """An array of data sets."""
    return b"".join(ArrayWriter().chunks(data_sets))


class ArrayWriter:
    """Writes an array one data set at a time, so that an answer needs no more memory than one.

    >>> writer = ArrayWriter()
    >>> writer.item({"00080060": {"vr": "CS"}}) + writer.close()
    b'[{"00080060":{"vr":"CS"}}]'
    """

    __slots__ = ("_before",)

    def __init__(self) -> None:
        self._before = b"["

    def item(self, data_set: Mapping[str, Any] | bytes) -> bytes:
        """The next data set, as a model object or already as bytes."""
        raw = data_set if isinstance(data_set, bytes) else dump_data_set(data_set)
        before, self._before = self._before, b","
        return before + raw

    def close(self) -> bytes:
        """The end of the array."""
        return b"[]" if self._before == b"[" else b"]"

    def chunks(self, data_sets: Iterable[Mapping[str, Any] | bytes]) -> Iterator[bytes]:
        """The whole array, a chunk per data set."""
        for data_set in data_sets:
            yield self.item(data_set)
        yield self.close()


def in_unicode(data_set: Mapping[str, Any]) -> DicomJson:
    """The data set with every Specific Character Set saying what JSON is in: ISO_IR 192.

    What `decode` gives keeps the character sets that the bytes had; a receiver of JSON would
    take them for those of the text (PS3.18 §F.1).
    """
    return {
        key: _UNICODE if key == _CHARSET and "Value" in attribute else _in_unicode(attribute)
        for key, attribute in data_set.items()
    }


def _in_unicode(attribute: Mapping[str, Any]) -> Mapping[str, Any]:
    if attribute.get("vr") != "SQ" or "Value" not in attribute:
        return attribute
    return {**attribute, "Value": [in_unicode(item or {}) for item in attribute["Value"]]}


def parse_data_sets(raw: bytes | bytearray | memoryview) -> list[DicomJson]:
    """Data sets of a JSON array, or of one object.

    Shapes are checked at the top; `dataset.encode` checks the rest as it goes.

    Raises:
        BadDicomJson: not JSON, or not data sets.
    """
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadDicomJson("the text is not JSON") from error
    data_sets = parsed if isinstance(parsed, list) else [parsed]
    for data_set in data_sets:
        if not isinstance(data_set, dict):
            raise BadDicomJson("the JSON holds something that is no data set")
        for key, attribute in data_set.items():
            if len(key) != _KEY_CHARACTERS or not isinstance(attribute, dict):
                raise BadDicomJson("a data set holds something that is no attribute")
    return data_sets
