"""Videos over HTTP: the stream as it is, and each of its pictures."""

import io

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate

from negatoscope.standard import transfer_syntaxes as ts
from videos import COLUMNS, ROWS, number_in, numbered_video

COUNT = 60
OCTETS = 'multipart/related; type="application/octet-stream"'
VIDEO_PHOTOGRAPHIC = "1.2.840.10008.5.1.4.1.1.77.1.4.1"


def video(helpers, *, frames: int = COUNT, fragments: int = 1, **more):
    """A video of 60 pictures, and its stream."""
    stream = numbered_video("mp4", "libx264", COUNT)
    one = helpers.make_ct(1, **more)
    one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = VIDEO_PHOTOGRAPHIC
    one.Modality = "XC"
    one.Rows, one.Columns, one.NumberOfFrames = ROWS, COLUMNS, frames
    one.SamplesPerPixel, one.PlanarConfiguration, one.PixelRepresentation = 3, 0, 0
    one.BitsAllocated, one.BitsStored, one.HighBit = 8, 8, 7
    one.PhotometricInterpretation = "YBR_PARTIAL_420"
    one.PixelData = encapsulate([stream], fragments_per_frame=fragments, has_bot=False)
    one["PixelData"].VR = "OB"
    one["PixelData"].is_undefined_length = True
    one.file_meta.TransferSyntaxUID = ts.MPEG4_HP41
    url = (
        f"/dicom-web/studies/{one.StudyInstanceUID}/series/{one.SeriesInstanceUID}"
        f"/instances/{one.SOPInstanceUID}"
    )
    return one, stream, url


def shown(answer) -> int:
    """The number in a picture."""
    assert answer.status_code == 200, answer.text
    return number_in(np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")))


def test_any_picture_is_rendered(served, helpers) -> None:
    """By its frame number; without one the middle picture."""
    one, _, url = video(helpers)
    served.store(one)
    client = served.client()
    for number in (1, 2, 31, COUNT):
        assert shown(client.get(f"{url}/frames/{number}/rendered?accept=image/png")) == number
    full = f"viewport={COLUMNS},{ROWS}"
    assert shown(client.get(f"{url}/frames/7/thumbnail?{full}")) == 7
    assert shown(client.get(f"{url}/thumbnail?{full}")) == COUNT // 2
    assert shown(client.get(f"{url}/rendered?accept=image/png")) == COUNT // 2
    assert client.get(f"{url}/frames/{COUNT + 1}/rendered").status_code == 404
    film = client.get(f"{url}/rendered?accept=image/gif")
    with Image.open(io.BytesIO(film.content)) as gif:
        assert gif.n_frames == COUNT
        gif.seek(41)
        assert number_in(np.asarray(gif.convert("RGB"))) == 42


@pytest.mark.parametrize("accept", ["*/*", 'multipart/related; type="video/mp4"', "video/mp4"])
@pytest.mark.parametrize("fragments", [1, 3])
def test_frames_as_stored_are_the_stream(served, helpers, accept, fragments) -> None:
    """Once, whichever frames are asked for; fragments are joined (PS3.5 §8.2.5)."""
    one, stream, url = video(helpers, fragments=fragments)
    served.store(one)
    stored = stream + b"\0" * (len(stream) % 2)
    for frames in ("frames/1", "frames/3,1", f"frames/{COUNT}", "bulkdata/7FE00010"):
        answer = served.client().get(f"{url}/{frames}", headers={"Accept": accept})
        assert answer.status_code == 200, answer.text
        if accept == "video/mp4":
            assert answer.headers["content-type"].startswith("video/mp4")
            assert answer.content == stored
        else:
            ((headers, body),) = helpers.parts_of(answer)
            assert headers["content-type"].startswith("video/mp4")
            assert body == stored
    part = served.client().get(
        f"{url}/frames/1", headers={"Accept": "video/mp4", "Range": "bytes=100-299"}
    )
    assert (part.status_code, part.content) == (206, stored[100:300])
    assert served.client().get(f"{url}/frames/{COUNT + 1}").status_code == 404


def test_frames_decoded(served, helpers) -> None:
    """Octets are RGB pixels, in the order asked for; other syntaxes are encoded from them."""
    one, _, url = video(helpers)
    served.store(one)
    answer = served.client().get(f"{url}/frames/40,2,3", headers={"Accept": OCTETS})
    assert answer.status_code == 200, answer.text
    parts = helpers.parts_of(answer)
    images = [np.frombuffer(body, "u1").reshape(ROWS, COLUMNS, 3) for _, body in parts]
    assert [number_in(image) for image in images] == [40, 2, 3]
    assert parts[0][0]["content-location"].endswith("/frames/40")
    answer = served.client().get(
        f"{url}/frames/33", headers={"Accept": 'multipart/related; type="image/jls"'}
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("said", [COUNT, 1])
@pytest.mark.parametrize("syntax", [ts.EXPLICIT_VR_LITTLE_ENDIAN, ts.RLE_LOSSLESS])
def test_the_whole_object_in_another_syntax(served, helpers, said, syntax) -> None:
    """As many frames as there are pictures, whatever Number of Frames said; marked as lossy."""
    one, _, url = video(helpers, frames=said)
    served.store(one)
    answer = served.client().get(
        url, headers={"Accept": f"application/dicom; transfer-syntax={syntax}"}
    )
    assert answer.status_code == 200, answer.text
    given = pydicom.dcmread(io.BytesIO(answer.content))
    assert given.NumberOfFrames == COUNT
    assert given.PhotometricInterpretation == "RGB"
    assert given.LossyImageCompression == "01"
    assert [number_in(image) for image in given.pixel_array] == list(range(1, COUNT + 1))
    stored = served.client().get(url, headers={"Accept": "application/dicom"})
    assert pydicom.dcmread(io.BytesIO(stored.content)).file_meta.TransferSyntaxUID == ts.MPEG4_HP41


def test_attributes_that_list_other_frames_are_not_made_up(served, helpers) -> None:
    """A Frame Time Vector of other pictures: the reason is told, nothing invented."""
    one, _, url = video(helpers, frames=2)
    one.FrameTimeVector = [0, 40]
    served.store(one)
    answer = served.client().get(
        url, headers={"Accept": f"application/dicom; transfer-syntax={ts.EXPLICIT_VR_LITTLE_ENDIAN}"}
    )  # fmt: skip
    assert answer.status_code == 406, answer.text
    assert "60 pictures" in answer.json()["detail"]


def test_more_frames_announced_than_there_are(served, helpers) -> None:
    """The last one is shown with a warning; one asked for by its number is refused."""
    one, _, url = video(helpers, frames=500)
    served.store(one)
    client = served.client()
    answer = client.get(f"{url}/rendered?accept=image/png")
    assert shown(answer) == COUNT
    assert "60 pictures" in answer.headers["warning"]
    answer = client.get(f"{url}/frames/61/rendered")
    assert (answer.status_code, "60 pictures" in answer.text) == (406, True), answer.text
    answer = client.get(f"{url}/frames/61", headers={"Accept": OCTETS})
    assert "60 pictures" in answer.text
    assert answer.status_code == 404
