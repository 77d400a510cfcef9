"""Data sets in an answer: DICOM JSON or the Native DICOM Model, and their content coding.

JSON is one array (or one object); XML is a part per data set (PS3.18 §8.7.3.2), or one document
where there is one data set.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from negatoscope.entrypoints.dicomweb.media_types import DICOM_JSON, DICOM_XML, JSON, Offer
from negatoscope.entrypoints.dicomweb.multipart import closing, part_head
from negatoscope.entrypoints.dicomweb.retrieve_common import check_charset, choose_offer
from negatoscope.entrypoints.web.asgi import Header, Request
from negatoscope.protocols.dicom.xml import dump_native_model


class Form(Enum):
    """How data sets are written."""

    DICOM_JSON = DICOM_JSON
    JSON = JSON
    XML = DICOM_XML
    XML_PARTS = f'multipart/related; type="{DICOM_XML}"'

    @property
    def is_xml(self) -> bool:
        """Native DICOM Model."""
        return self in (Form.XML, Form.XML_PARTS)

    def content_type(self, boundary: bytes = b"") -> Header:
        """The header of an answer in this form."""
        value = self.value.encode("ascii")
        if self is Form.XML_PARTS:
            value += b"; boundary=" + boundary
        return (b"content-type", value)


_MANY = {
    Offer(DICOM_JSON): Form.DICOM_JSON,
    Offer(DICOM_XML, is_multipart=True): Form.XML_PARTS,
    Offer(JSON): Form.JSON,
}
_ONE = {
    Offer(DICOM_JSON): Form.DICOM_JSON,
    Offer(DICOM_XML): Form.XML,
    Offer(DICOM_XML, is_multipart=True): Form.XML_PARTS,
    Offer(JSON): Form.JSON,
}


def choose_form(request: Request, *, one: bool = False) -> Form:
    """The form a request accepts best.

    Args:
        one: There is one data set: XML need not be a multipart.
    Raises:
        Problem: none.
    """
    offers = _ONE if one else _MANY
    check_charset(request)
    return offers[choose_offer(request, list(offers))]


def xml_parts(data_sets: Iterable[Mapping[str, Any]], boundary: bytes) -> Iterator[bytes]:
    """A multipart of documents."""
    for data_set in data_sets:
        yield part_head(boundary, DICOM_XML.encode("ascii")) + dump_native_model(data_set)
    yield closing(boundary)


def accepts_gzip(request: Request) -> bool:
    """Whether the client takes gzip content coding (RFC 9110 §12.5.3)."""
    for piece in (request.header(b"accept-encoding") or "").lower().split(","):
        coding, _, parameters = piece.partition(";")
        if coding.strip() in ("gzip", "x-gzip", "*"):
            return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes as one gzip stream."""
    deflate = zlib.compressobj(1, wbits=31)
    for chunk in chunks:
        yield deflate.compress(chunk)
    yield deflate.flush()
