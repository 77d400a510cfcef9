"""Retrieve frames: which bytes, in which media type, for which Accept."""

import pytest

EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT = "1.2.840.10008.1.2"
JPEG_LS = "1.2.840.10008.1.2.4.80"
STUDY = "1.2.826.0.1.3680043.10.1.1"
FRAMES = f"/dicom-web/studies/{STUDY}/series/{STUDY}.1/instances/{STUDY}.1.1/frames"
OCTETS = 'multipart/related; type="application/octet-stream"'
JLS = 'multipart/related; type="image/jls"'


@pytest.fixture
def native(served, helpers):
    """Three native frames of 16 x 16 x 16 bit."""
    one = helpers.make_ct(1, frames=3, transfer_syntax=IMPLICIT)
    assert served.store(one).status_code == 200
    return one


@pytest.fixture
def compressed(served, helpers):
    """Two frames that call themselves JPEG-LS."""
    one = helpers.make_ct(1, frames=2, transfer_syntax=JPEG_LS)
    assert served.store(one).status_code == 200
    return [b"\xff\xd8" + bytes([n]) * 9 + b"\0" for n in range(2)]


def test_native_frames(served, native, helpers):
    """The pixels of the frames asked for, in the order asked for."""
    answer = served.client().get(f"{FRAMES}/3,1", headers={"Accept": OCTETS})
    assert answer.status_code == 200
    parts = helpers.parts_of(answer)
    assert [body for _, body in parts] == [native.PixelData[1024:1536], native.PixelData[:512]]
    assert parts[0][0]["content-type"] == f"application/octet-stream; transfer-syntax={EXPLICIT}"
    assert parts[0][0]["content-location"] == f"{FRAMES}/3"
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_frames_of_a_deflated_object(served, helpers):
    """The data set is inflated for them (PS3.5 §A.5); a frame it has not is not found."""
    one = helpers.make_ct(1, frames=3, transfer_syntax=DEFLATED)
    assert served.store(one).status_code == 200
    client = served.client()
    answer = client.get(f"{FRAMES}/3,1", headers={"Accept": OCTETS})
    assert [body for _, body in helpers.parts_of(answer)] == [
        one.PixelData[1024:1536],
        one.PixelData[:512],
    ]
    single = client.get(f"{FRAMES}/2", headers={"Accept": "application/octet-stream"})
    assert single.content == one.PixelData[512:1024]
    coded = client.get(f"{FRAMES}/2", headers={"Accept": JLS})
    assert helpers.parts_of(coded)[0][0]["content-type"].startswith("image/jls")
    assert client.get(f"{FRAMES}/4", headers={"Accept": OCTETS}).status_code == 404


def test_one_frame_alone(served, native):
    """``application/octet-stream`` gives the bytes and nothing else."""
    answer = served.client().get(f"{FRAMES}/2", headers={"Accept": "application/octet-stream"})
    assert answer.content == native.PixelData[512:1024]
    assert answer.headers["content-type"].startswith("application/octet-stream")


def test_a_range_of_one_frame(served, native):
    """206 with the bytes asked for; the whole when the frame is another one meanwhile; 416 beyond it."""
    accept = {"Accept": "application/octet-stream"}
    pixels = native.PixelData[512:1024]
    whole = served.client().get(f"{FRAMES}/2", headers=accept)
    assert whole.headers["accept-ranges"] == "bytes"
    part = served.client().get(f"{FRAMES}/2", headers=accept | {"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, pixels[100:200])
    assert part.headers["content-range"] == "bytes 100-199/512"
    stale = {"Range": "bytes=100-199", "If-Range": '"of-another"'}
    assert served.client().get(f"{FRAMES}/2", headers=accept | stale).content == pixels
    beyond = served.client().get(f"{FRAMES}/2", headers=accept | {"Range": "bytes=512-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */512")


def test_a_range_over_a_multipart_of_frames(served, native):
    """It counts over the whole body, whose boundary is the same each time."""
    whole = served.client().get(f"{FRAMES}/3,1", headers={"Accept": OCTETS}).content
    for first, last in ((0, 99), (150, 900), (600, len(whole) - 1)):
        wanted = {"Accept": OCTETS, "Range": f"bytes={first}-{last}"}
        part = served.client().get(f"{FRAMES}/3,1", headers=wanted)
        assert (part.status_code, part.content) == (206, whole[first : last + 1])


def test_several_frames_need_a_multipart(served, native):
    """Two frames do not fit one body."""
    answer = served.client().get(f"{FRAMES}/1,2", headers={"Accept": "application/octet-stream"})
    assert answer.status_code == 406


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "image/jls"),
        ("multipart/related", "image/jls"),
        (JLS, "image/jls"),
        (f"{JLS}; transfer-syntax={JPEG_LS}", "image/jls"),
        (f"{JLS}; transfer-syntax=*", "image/jls"),
        ('multipart/related; type="image/*"', "image/jls"),
        (f"{OCTETS}; transfer-syntax=*", "application/octet-stream"),
        (f"{OCTETS}; transfer-syntax={JPEG_LS}", "application/octet-stream"),
        (f"{OCTETS}, {JLS}; q=0.5", "image/jls"),
    ],
)
def test_compressed_frames(served, compressed, helpers, accept, media_type):
    """The code stream, for whoever accepts its media type or its transfer syntax."""
    answer = served.client().get(f"{FRAMES}/1,2", headers={"Accept": accept})
    assert answer.status_code == 200
    parts = helpers.parts_of(answer)
    assert [body for _, body in parts] == compressed
    assert parts[0][0]["content-type"] == f"{media_type}; transfer-syntax={JPEG_LS}"


@pytest.mark.parametrize(
    "accept",
    [
        OCTETS,
        f"{OCTETS}; transfer-syntax={EXPLICIT}",
        f"{JLS}; transfer-syntax=1.2.840.10008.1.2.4.81",
        'multipart/related; type="image/jp2"',
    ],
)
def test_damaged_code_streams_are_not_passed_off_as_pixels(served, compressed, accept):
    """What should be transcoded and cannot be is an error that says why."""
    answer = served.client().get(f"{FRAMES}/1", headers={"Accept": accept})
    assert (answer.status_code, answer.json()["code"]) == (406, "pixels-unreadable")
    assert "JPEG" in answer.json()["detail"]


def test_what_frames_cannot_be_is_refused(served, compressed):
    """406 that says what there is."""
    answer = served.client().get(f"{FRAMES}/1", headers={"Accept": "image/png"})
    assert (answer.status_code, answer.json()["code"]) == (406, "not-acceptable")
    assert answer.json()["available"]


def test_packed_bits(served, helpers):
    """Frames of one bit per pixel start with a byte of their own (PS3.5 §8.1.1)."""
    one = helpers.make_ct(1)
    one.Rows = one.Columns = 3
    one.BitsAllocated = one.BitsStored = 1
    one.HighBit, one.NumberOfFrames = 0, 2
    one.PixelData = bytes([0b11111111, 0b00000001, 0b10, 0])
    one["PixelData"].VR = "OB"
    assert served.store(one).status_code == 200
    answer = served.client().get(f"{FRAMES}/1,2", headers={"Accept": OCTETS})
    assert [body for _, body in helpers.parts_of(answer)] == [b"\xff\x01", b"\x00\x01"]


@pytest.mark.parametrize(
    ("frames", "status", "code"),
    [
        ("4", 404, "frame-not-found"),
        ("0", 400, "bad-frame-list"),
        ("1,x", 400, "bad-frame-list"),
        ("-1", 400, "bad-frame-list"),
        ("1,,2", 400, "bad-frame-list"),
        ("99999999999", 400, "bad-frame-list"),
        ("", 404, "not-found"),
    ],
)
def test_bad_frame_lists(served, native, frames, status, code):
    """Numbers from 1 to the number of frames, separated by commas."""
    answer = served.client().get(f"{FRAMES}/{frames}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_objects_without_pixels_have_no_frames(served, helpers):
    """404, not an error of ours."""
    one = helpers.make_ct(1)
    del one.PixelData
    assert served.store(one).status_code == 200
    answer = served.client().get(f"{FRAMES}/1")
    assert (answer.status_code, answer.json()["code"]) == (404, "frame-not-found")


def test_known_frames_are_not_sent_again(served, native):
    """ETag per object, frames and shape."""
    client = served.client()
    first = client.get(f"{FRAMES}/1")
    assert first.headers["etag"] != client.get(f"{FRAMES}/2").headers["etag"]
    again = client.get(f"{FRAMES}/1", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_an_open_object_that_was_compacted_away_is_found_again(served, native, helpers):
    """A place given back is noticed by its missing DICM, and the object read from its new one."""
    client = served.client()
    path, accept = f"{FRAMES}/1", {"Accept": "application/octet-stream"}
    assert client.get(path, headers=accept).content == native.PixelData[:512]
    stored = served.services.retrieval.find(f"{STUDY}.1.1")
    file = stored.path.read_bytes()[stored.offset : stored.offset + stored.size]
    segment, offset, _ = served.services.archive.append_member("moved.dcm", file, {})
    with served.services.database.connection() as connection:
        connection.execute(
            "UPDATE instance SET segment_fk = %s, segment_offset = %s", (segment, offset)
        )
    with stored.path.open("r+b") as old:
        old.seek(stored.offset)
        old.write(bytes(stored.size))
    assert client.get(path, headers=accept).content == native.PixelData[:512]
