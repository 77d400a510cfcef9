"""Rendered resources over HTTP: what a browser gets to see, and what it is told otherwise."""

import asyncio
import io
import time
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset

STUDY = "1.2.826.0.1.3680043.10.1.1"
SERIES = f"{STUDY}.1"
PATH = f"/dicom-web/studies/{STUDY}/series/{SERIES}"


def ramp(helpers: SimpleNamespace, number: int = 1, **more: object) -> Dataset:
    """A CT whose stored values run from 0 to 4095 over 64 × 64 pixels, in HU from −1024."""
    pixels = np.linspace(0, 4095, 64 * 64).astype("<u2").reshape(64, 64)
    one = helpers.make_ct(number, size=64, **more)
    one.RescaleSlope, one.RescaleIntercept = 1, -1024
    one.PixelData = pixels.tobytes() * int(more.get("frames", 1))
    return one


def image(response) -> Image.Image:
    """The picture of an answer."""
    assert response.status_code == 200, response.text
    return Image.open(io.BytesIO(response.content))


def test_a_picture_is_jpeg_unless_asked_otherwise(served, helpers) -> None:
    """PS3.18 §8.7.4: image/jpeg is the default."""
    served.store(ramp(helpers))
    answer = served.client().get(f"{PATH}/instances/{SERIES}.1/rendered")
    assert image(answer).format == "JPEG"
    assert answer.headers["content-type"] == "image/jpeg"
    assert image(answer).size == (64, 64)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_window_is_the_equation_of_the_standard(served, helpers) -> None:
    """PS3.3 §C.11.2.1.2.1, all pixels within one level; pydicom computes the reference."""
    one = ramp(helpers)
    served.store(one)
    one.WindowCenter, one.WindowWidth = 40, 400
    url = f"{PATH}/instances/{SERIES}.1/frames/1/rendered?window=40,400,linear&accept=image/png"
    found = np.asarray(image(served.client().get(url))).astype(float)
    hu = pydicom.pixels.apply_modality_lut(one.pixel_array, one)
    expected = np.clip(((hu - 39.5) / 399 + 0.5) * 255, 0, 255)
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize(
    ("accept", "kind"), [("image/png", "PNG"), ("image/gif", "GIF"), ("image/jp2", "JPEG2000")]
)
def test_other_media_types(served, helpers, accept: str, kind: str) -> None:
    """What Table 8.7.4-1 lists for single frames."""
    served.store(ramp(helpers))
    answer = served.client().get(
        f"{PATH}/instances/{SERIES}.1/rendered", headers={"Accept": accept}
    )
    assert image(answer).format == kind


def test_a_viewport_scales_and_crops(served, helpers) -> None:
    """PS3.18 §8.3.5.1.3: the aspect stays, the picture fits; negative sizes flip."""
    served.store(ramp(helpers))
    url = f"{PATH}/instances/{SERIES}.1/rendered?accept=image/png&window=1000,4000&viewport="
    assert image(served.client().get(url + "32,48")).size == (32, 32)
    assert image(served.client().get(url + "64,32,0,0,64,32")).size == (64, 32)
    plain = np.asarray(image(served.client().get(url + "64,64")))
    flipped = np.asarray(image(served.client().get(url + "64,64,,,-64,-64")))
    assert (plain[::-1, ::-1] == flipped).all()


ABSURD = (
    "viewport=0,0",
    "viewport=99999999,1",
    "viewport=65535,65535",
    "viewport=a,b",
    "viewport=10",
    "viewport=-5,5",
    "viewport=10,10,100,100,5,5",
    "viewport=10,10,nan,0,1,1",
    "viewport=10,10,0,0,0,0",
    "window=1",
    "window=1,0,linear",
    "window=nan,1,linear",
    "window=1e99,1",
    "window=1,2,cubic",
    "quality=0",
    "quality=101",
    "quality=x",
    "iccprofile=cmyk",
    "quality=50&quality=60",
)


def test_absurd_parameters_are_400(served, helpers) -> None:
    """Each with a reason, none reaches a codec's memory."""
    served.store(ramp(helpers))
    client = served.client()
    for query in ABSURD:
        answer = client.get(f"{PATH}/instances/{SERIES}.1/rendered?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-query"), query


def test_series_and_study_give_their_middle_image(served, helpers) -> None:
    """One picture single-part, all of them multipart."""
    served.store(*(ramp(helpers, number) for number in (1, 2, 3)))
    client = served.client()
    middle = client.get(f"{PATH}/instances/{SERIES}.2/rendered")
    for path in (PATH, f"/dicom-web/studies/{STUDY}"):
        assert client.get(f"{path}/rendered").content == middle.content
        assert image(client.get(f"{path}/thumbnail")).size == (128, 128)
        every = client.get(
            f"{path}/rendered", headers={"Accept": 'multipart/related; type="image/png"'}
        )
        parts = helpers.parts_of(every)
        assert [head["content-type"] for head, _ in parts] == ["image/png"] * 3


def test_frames_of_a_multi_frame_object(served, helpers) -> None:
    """A list is multipart, one is single-part, an animation when asked."""
    served.store(ramp(helpers, frames=3))
    client = served.client()
    base = f"{PATH}/instances/{SERIES}.1"
    assert image(client.get(f"{base}/frames/3/rendered")).format == "JPEG"
    assert client.get(f"{base}/frames/4/rendered").status_code == 404
    assert client.get(f"{base}/frames/4/rendered").json()["code"] == "frame-not-found"
    assert len(helpers.parts_of(client.get(f"{base}/frames/1,3/rendered"))) == 2
    single = client.get(f"{base}/frames/1,3/rendered", headers={"Accept": "image/jpeg"})
    assert single.status_code == 406
    film = image(client.get(f"{base}/rendered", headers={"Accept": "image/gif"}))
    assert film.format == "GIF"
    video = client.get(f"{base}/rendered", headers={"Accept": "video/mp4"})
    assert video.status_code == 200, video.text
    assert video.content[4:8] == b"ftyp"


def test_what_cannot_be_given_is_406_with_a_list(served, helpers) -> None:
    """PS3.18 §8.7.8."""
    served.store(ramp(helpers))
    answer = served.client().get(
        f"{PATH}/instances/{SERIES}.1/rendered", headers={"Accept": "text/html"}
    )
    assert answer.status_code == 406
    assert "image/jpeg" in answer.json()["available"]


def test_unchanged_is_304(served, helpers) -> None:
    """RFC 9110 §13.1.2."""
    served.store(ramp(helpers))
    client = served.client()
    url = f"{PATH}/instances/{SERIES}.1/rendered"
    etag = client.get(url).headers["etag"]
    again = client.get(url, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"{url}?quality=20").headers["etag"] != etag


def test_reading_needs_the_right(served, helpers) -> None:
    """The same policy as every other way to an image."""
    served.store(ramp(helpers))
    url = f"{PATH}/instances/{SERIES}.1/thumbnail"
    assert served.client(None).get(url).status_code == 401
    assert served.client("secretary").get(url).status_code == 403
    with served.services.database.connection() as connection:
        count = "SELECT count(*) FROM audit_event WHERE study_instance_uid = %s AND action = %s"
        before = connection.execute(count, (STUDY, "retrieve")).fetchone()[0]
        assert served.client().get(url).status_code == 200
        assert connection.execute(count, (STUDY, "retrieve")).fetchone()[0] == before + 1


def test_annotations_are_burned_in_and_unknown_ones_warned_of(served, helpers) -> None:
    """PS3.18 §8.3.5.1.1."""
    served.store(ramp(helpers))
    client = served.client()
    url = f"{PATH}/instances/{SERIES}.1/rendered?accept=image/png&viewport=512,512"
    plain = np.asarray(image(client.get(url)))
    answer = client.get(f"{url}&annotation=patient,technique,horoscope")
    assert (np.asarray(image(answer)) != plain).sum() > 500
    assert "horoscope" in answer.headers["warning"]
    assert "DUPONT" not in answer.headers["warning"]


def test_lying_palettes_and_tables_stay_inside(served, helpers) -> None:
    """Indices outside use the ends; what cannot be used is ignored with a warning."""
    one = ramp(helpers)
    one.PhotometricInterpretation = "PALETTE COLOR"
    for color in ("Red", "Green", "Blue"):
        setattr(one, f"{color}PaletteColorLookupTableDescriptor", [256, 60000, 16])
        setattr(one, f"{color}PaletteColorLookupTableData", b"\x01\x02")
    two = ramp(helpers, 2)
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [0, 0, 99], b"\0\0"
    two.ModalityLUTSequence = [item]
    served.store(one, two)
    client = served.client()
    assert image(client.get(f"{PATH}/instances/{SERIES}.1/rendered")).mode == "RGB"
    answer = client.get(f"{PATH}/instances/{SERIES}.2/rendered")
    assert answer.status_code == 200
    assert "Modality LUT ignored" in answer.headers["warning"]


def test_a_hostile_profile_is_ignored(served, helpers) -> None:
    """The colours come as they are, and a warning says why."""
    one = ramp(helpers)
    one.SamplesPerPixel, one.PhotometricInterpretation, one.PlanarConfiguration = 3, "RGB", 0
    one.BitsAllocated, one.BitsStored, one.HighBit = 8, 8, 7
    one.PixelData = bytes(range(256)) * 48
    one.ICCProfile = b"\xff" * 128 + b"acsp" + b"\0" * 300
    served.store(one)
    for choice in ("no", "yes", "srgb", "adobergb", "rommrgb", "displayp3"):
        answer = served.client().get(
            f"{PATH}/instances/{SERIES}.1/rendered?iccprofile={choice}&accept=image/png"
        )
        assert ("icc_profile" in image(answer).info) is (choice != "no")
        assert "ICC profile" in answer.headers["warning"]


def test_an_image_of_65535_squared_is_refused_by_budget(served, helpers) -> None:
    """It is stored, and its picture is refused before memory is taken for it."""
    one = ramp(helpers)
    one.Rows = one.Columns = 65535
    served.store(one)
    answer = served.client().get(f"{PATH}/instances/{SERIES}.1/rendered")
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large-to-render")
    two = ramp(helpers, 2)
    two.Rows = two.Columns = 500
    served.store(two)
    answer = served.client().get(f"{PATH}/instances/{SERIES}.2/rendered")
    assert (answer.status_code, answer.json()["code"]) == (406, "not-displayable")


def test_a_document_is_served_in_a_sandbox(served, helpers) -> None:
    """PDF as it is, HTML from a report with everything escaped."""
    one = helpers.make_ct(7)
    for keyword in ("Rows", "Columns", "PixelData", "BitsAllocated", "PhotometricInterpretation"):
        delattr(one, keyword)
    one.SOPClassUID = "1.2.840.10008.5.1.4.1.1.104.1"
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.EncapsulatedDocument = b"%PDF-1.4 <script>alert(1)</script>"
    one.EncapsulatedDocumentLength = len(one.EncapsulatedDocument)
    one.MIMETypeOfEncapsulatedDocument = "application/pdf"
    served.store(one)
    answer = served.client().get(f"{PATH}/instances/{SERIES}.7/rendered")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content == b"%PDF-1.4 <script>alert(1)</script>"
    broken = served.client().get(f"{PATH}/instances/{SERIES}.7/thumbnail")
    assert (broken.status_code, broken.json()["code"]) == (406, "not-displayable")


def test_a_report_is_html_without_a_strangers_markup(served, helpers) -> None:
    """Names, values and units of the content tree; every text escaped."""
    one = helpers.make_ct(8, name="<b>X^Y")
    for keyword in ("Rows", "Columns", "PixelData", "BitsAllocated", "PhotometricInterpretation"):
        delattr(one, keyword)
    one.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.ContentSequence = [Dataset()]
    item = one.ContentSequence[0]
    item.RelationshipType, item.ValueType = "CONTAINS", "TEXT"
    item.TextValue = "<img src=x onerror=alert(1)>"
    served.store(one)
    client = served.client()
    page = client.get(f"{PATH}/instances/{SERIES}.8/rendered")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<img" not in page.text
    assert "&lt;img" in page.text
    assert "<b>X" not in page.text
    plain = client.get(f"{PATH}/instances/{SERIES}.8/rendered", headers={"Accept": "text/plain"})
    assert "<img src=x" in plain.text


def test_what_is_no_image_says_so(served, helpers) -> None:
    """An unknown SOP class without pixels."""
    one = helpers.make_ct(9)
    for keyword in ("Rows", "Columns", "PixelData", "BitsAllocated", "PhotometricInterpretation"):
        delattr(one, keyword)
    one.SOPClassUID = "1.2.3.4.5"
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    served.store(one)
    answer = served.client().get(f"{PATH}/instances/{SERIES}.9/rendered")
    assert (answer.status_code, answer.json()["code"]) == (406, "not-displayable")


def store_files(served, helpers, *paths) -> list[Dataset]:
    """Real objects, as they are."""
    found = []
    for path in paths:
        body, headers = helpers.related(path.read_bytes())
        assert served.client().post("/dicom-web/studies", content=body, headers=headers).is_success
        found.append(pydicom.dcmread(path, stop_before_pixels=True))
    return found


def url_of(one: Dataset) -> str:
    """The instance's resource."""
    return (
        f"/dicom-web/studies/{one.StudyInstanceUID}/series/{one.SeriesInstanceUID}"
        f"/instances/{one.SOPInstanceUID}"
    )


def test_a_presentation_state_is_rendered_on_its_image(served, helpers, shared_data) -> None:
    """All six overlays of the test object: two in pixel bits, two of the image, two of the state."""
    image_of, state = store_files(
        served, helpers, shared_data / "pr/overlay.dcm", shared_data / "pr/prOverlay.dcm"
    )
    answer = served.client().get(f"{url_of(state)}/rendered?accept=image/png")
    pixels = np.asarray(image(answer).convert("L"))
    lines = [pixels[row : row + 16].any() for row in (134, 176, 218, 260, 302, 345)]
    assert lines == [True] * 6
    assert served.client().get(f"{url_of(image_of)}/rendered").status_code == 200


COLOR_STATE, VOLUMETRIC_STATE = (f"1.2.840.10008.5.1.4.1.1.11.{number}" for number in (2, 6))


def colors(helpers: SimpleNamespace) -> Dataset:
    """An image of which each quarter has another colour."""
    one = helpers.make_ct(1)
    one.Rows = one.Columns = 64
    one.SamplesPerPixel, one.PlanarConfiguration, one.PhotometricInterpretation = 3, 0, "RGB"
    one.BitsAllocated, one.BitsStored, one.HighBit = 8, 8, 7
    pixels = np.zeros((64, 64, 3), "u1")
    pixels[:32, :32], pixels[:32, 32:] = (200, 0, 0), (0, 200, 0)
    pixels[32:, :32], pixels[32:, 32:] = (0, 0, 200), (200, 200, 0)
    one.PixelData = pixels.tobytes()
    return one


def state_of(helpers: SimpleNamespace, one: Dataset, sop_class: str) -> Dataset:
    """A presentation state that shows the upper right quarter, with a word in it."""
    state = helpers.make_ct(1, series=2)
    for keyword in ("PixelData", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation"):
        del state[keyword]
    state.SOPClassUID = state.file_meta.MediaStorageSOPClassUID = sop_class
    state.Modality = "PR"
    image_item, series_item, area, graphic, text = (Dataset() for _ in range(5))
    image_item.ReferencedSOPClassUID = one.SOPClassUID
    image_item.ReferencedSOPInstanceUID = one.SOPInstanceUID
    series_item.SeriesInstanceUID = one.SeriesInstanceUID
    series_item.ReferencedImageSequence = [image_item]
    state.ReferencedSeriesSequence = [series_item]
    area.DisplayedAreaTopLeftHandCorner = [33, 1]
    area.DisplayedAreaBottomRightHandCorner = [64, 32]
    area.PresentationSizeMode = "SCALE TO FIT"
    area.PresentationPixelAspectRatio = [1, 1]
    state.DisplayedAreaSelectionSequence = [area]
    text.AnchorPointAnnotationUnits, text.AnchorPoint = "PIXEL", [40, 16]
    text.AnchorPointVisibility, text.UnformattedTextValue = "N", "X"
    graphic.GraphicLayer, graphic.TextObjectSequence = "A", [text]
    state.GraphicAnnotationSequence = [graphic]
    layer = Dataset()
    layer.GraphicLayer, layer.GraphicLayerOrder = "A", 1
    state.GraphicLayerSequence = [layer]
    return state


def test_a_color_presentation_state(served, helpers) -> None:
    """PS3.3 §A.33.2: its displayed area and its annotations, in the colours of the image."""
    one = colors(helpers)
    state = state_of(helpers, one, COLOR_STATE)
    assert served.store(one, state).status_code == 200
    url = f"/dicom-web/studies/{STUDY}/series/{STUDY}.2/instances/{state.SOPInstanceUID}/rendered"
    shown = np.asarray(image(served.client().get(f"{url}?accept=image/png")).convert("RGB"))
    plain = (shown == (0, 200, 0)).all(axis=2)
    assert plain.mean() > 0.7
    assert not plain.all(), "the annotation is missing"
    assert not ((shown == (200, 0, 0)).all(axis=2)).any()


def test_a_state_of_volumes_is_refused_with_the_reason(served, helpers) -> None:
    """Volumetric: one of its images alone would mislead."""
    one = colors(helpers)
    state = state_of(helpers, one, VOLUMETRIC_STATE)
    assert served.store(one, state).status_code == 200
    url = f"/dicom-web/studies/{STUDY}/series/{STUDY}.2/instances/{state.SOPInstanceUID}/rendered"
    answer = served.client().get(url)
    assert (answer.status_code, answer.json()["code"]) == (406, "not-displayable")
    assert "several images" in answer.json()["detail"]


def test_waveforms_video_and_documents_of_the_corpus(served, helpers, shared_data) -> None:
    """Each in its default media type, and as a thumbnail where it has a picture."""
    paths = (
        ("waveform/waveform_ecg.dcm", "image/png", 200),
        ("video/h264_hp41.dcm", "video/mp4", 200),
        ("video/mpeg2_mpml.dcm", "video/mpeg", 200),
        ("sr/dcmqi_tid1500.dcm", "text/html; charset=utf-8", 406),
    )
    client = served.client()
    for path, media_type, thumbnail in paths:
        (one,) = store_files(served, helpers, shared_data / path)
        answer = client.get(f"{url_of(one)}/rendered")
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type), path
        assert client.get(f"{url_of(one)}/thumbnail").status_code == thumbnail, path


def test_nothing_is_drawn_for_who_went_away(served, helpers, monkeypatch) -> None:
    """A request that waits for its turn when its client closes the connection gives up its place."""
    served.store(ramp(helpers))
    drawn: list[int] = []
    renderer = served.services.renderer
    real = renderer.picture

    def slow(*arguments):
        drawn.append(1)
        time.sleep(0.3)
        return real(*arguments)

    monkeypatch.setattr(renderer, "picture", slow)
    token = served.token()

    async def ask(number: int) -> None:
        gone = asyncio.Event()
        asyncio.get_running_loop().call_later(0.1, gone.set)
        began = False

        async def receive():
            nonlocal began
            if not began:
                began = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(_message):
            return None

        scope = {
            "type": "http", "method": "GET", "scheme": "http", "http_version": "1.1",
            "path": f"{PATH}/instances/{SERIES}.1/rendered", "raw_path": b"",
            "query_string": f"quality={number + 1}".encode(), "client": ("127.0.0.1", 1),
            "server": ("archive.test", 80),
            "headers": [(b"host", b"archive.test"), (b"authorization", f"Bearer {token}".encode())],
        }  # fmt: skip
        await served.application(scope, receive, send)

    async def many() -> None:
        await asyncio.gather(*(ask(number) for number in range(60)))

    helpers.loop.run_until_complete(many())
    assert 0 < len(drawn) < 12
    monkeypatch.undo()
    assert served.client().get(f"{PATH}/instances/{SERIES}.1/rendered").status_code == 200


def test_wado_uri_gives_the_same_picture(served, helpers, shared_data) -> None:
    """PS3.18 §9: window by windowCenter and windowWidth; a presentation state by its UIDs."""
    image_of, state = store_files(
        served, helpers, shared_data / "pr/overlay.dcm", shared_data / "pr/prOverlay.dcm"
    )
    client = served.client()
    query = (
        f"/wado?requestType=WADO&studyUID={image_of.StudyInstanceUID}"
        f"&seriesUID={image_of.SeriesInstanceUID}&objectUID={image_of.SOPInstanceUID}"
        "&contentType=image/png"
    )
    window = client.get(f"{query}&windowCenter=40&windowWidth=400")
    same = client.get(f"{url_of(image_of)}/rendered?window=40,400,linear&accept=image/png")
    assert window.content == same.content
    presented = client.get(
        f"{query}&presentationUID={state.SOPInstanceUID}"
        f"&presentationSeriesUID={state.SeriesInstanceUID}"
    )
    expected = client.get(f"{url_of(state)}/rendered?accept=image/png")
    assert presented.content == expected.content
