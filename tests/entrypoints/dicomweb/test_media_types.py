"""Accept and Content-Type of DICOMweb."""

import pytest

from negatoscope.entrypoints.dicomweb.media_types import (
    BadMediaType,
    frame_media_type,
    parse_accept,
    parse_content_type,
)
from negatoscope.standard.transfer_syntaxes import TRANSFER_SYNTAXES


def test_accept_is_ordered_by_quality():
    """Best first, ties as written, zero left out."""
    ranges = parse_accept(
        'multipart/related; type="image/jls"; q=0.5, application/dicom;q=0, '
        "multipart/related;type=application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
    )
    assert [one.content_type for one in ranges] == ["application/octet-stream", "image/jls"]
    assert ranges[0].transfer_syntax == "1.2.840.10008.1.2.1"
    assert ranges[0].is_multipart


def test_no_accept_accepts_everything():
    """RFC 9110 §12.5.1."""
    for header in (None, "", " "):
        (only,) = parse_accept(header)
        assert only.covers("image/jls")


@pytest.mark.parametrize(
    ("accepted", "given", "covers"),
    [
        ("*/*", "image/jls", True),
        ("image/*", "image/jls", True),
        ("image/*", "video/mp4", False),
        ("multipart/related", "image/jls", True),
        ('multipart/related; type="image/*"', "image/jls", True),
        ('multipart/related; type="Application/DICOM"', "application/dicom", True),
        ("application/dicom", "application/dicom+json", False),
    ],
)
def test_ranges_cover_types(accepted, given, covers):
    """Wildcards and the multipart's type parameter."""
    assert parse_accept(accepted)[0].covers(given) is covers


def test_content_type_with_boundary():
    """Quoted values are unquoted, names are case-insensitive."""
    media = parse_content_type('Multipart/Related; Type="application/dicom"; BOUNDARY="a\\"b c"')
    assert (media.type, media.parameters["boundary"]) == ("multipart/related", 'a"b c')


@pytest.mark.parametrize(
    "header",
    ["x", "a/b c", "a/b; q", "a/b; q=x", "a/b; q=7", "/b", "a/", 'a/b; c="d', "a/b" + " " * 5000],
)
def test_unreadable_headers_are_refused(header):
    """A typed error, never another."""
    with pytest.raises(BadMediaType):
        parse_accept(header)


def test_every_transfer_syntax_has_a_frame_media_type():
    """Native frames are octet streams, the common codecs have their names."""
    assert frame_media_type("1.2.840.10008.1.2.1") == "application/octet-stream"
    assert frame_media_type("1.2.840.10008.1.2.4.80") == "image/jls"
    assert all("/" in frame_media_type(uid) for uid in TRANSFER_SYNTAXES)


@pytest.mark.parametrize(
    ("former", "name"),
    [("image/x-jls", "image/jls"), ("image/x-dicom-rle", "image/dicom-rle"), ("image/jhc", "image/jphc")],
)  # fmt: skip
def test_names_of_earlier_editions(former, name) -> None:
    """dicomweb-client still asks by them."""
    (alone,) = parse_accept(former)
    (multipart,) = parse_accept(f'multipart/related; type="{former}"')
    assert alone.covers(name)
    assert multipart.covers(name)
