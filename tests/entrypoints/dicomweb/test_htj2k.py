"""Frames as HTJ2K: negotiation, byte ranges over the whole body, exact pixels, made ahead."""

import re
import shutil
import subprocess
import time

import numpy as np
import openjpeg
import pytest

from negatoscope.domain.viewing.htj2k import resolution_ends

RPCL = "1.2.840.10008.1.2.4.202"
ACCEPT = f'multipart/related; type="image/jphc"; transfer-syntax={RPCL}'
SINGLE = f"image/jphc; transfer-syntax={RPCL}"
STUDY = "1.2.826.0.1.3680043.10.1.1"


def picture(*shape: int, low: int, high: int, seed: int = 1) -> np.ndarray:
    """Smooth with noise on it, over the whole of its range."""
    rows, columns = shape[:2]
    y, x = np.mgrid[0:rows, 0:columns]
    wave = (np.sin(x / 37) + np.cos(y / 23) + 2) / 4
    noise = np.random.default_rng(seed).normal(0, 0.01, shape)
    base = wave if len(shape) == 2 else np.stack([wave, 1 - wave, wave**2], axis=-1)
    out = np.clip(base + noise, 0, 1) * (high - low) + low
    out.flat[0], out.flat[-1] = low, high
    return np.round(out)


def with_pixels(helpers, number, samples, *, bits, signed=False, allocated=16, **more):
    """A CT with these samples."""
    one = helpers.make_ct(number, **more)
    one.Rows, one.Columns = samples.shape[:2]
    one.BitsAllocated, one.BitsStored, one.HighBit = allocated, bits, bits - 1
    one.PixelRepresentation = int(signed)
    if samples.ndim == 3:
        one.SamplesPerPixel, one.PhotometricInterpretation = 3, "RGB"
        one.PlanarConfiguration = 0
    kind = f"<{'i' if signed else 'u'}{allocated // 8}"
    one.PixelData = samples.astype(kind).tobytes()
    one["PixelData"].VR = "OW" if allocated == 16 else "OB"
    return one


def url(one, frame=1):
    """Of a frame."""
    return (
        f"/dicom-web/studies/{one.StudyInstanceUID}/series/{one.SeriesInstanceUID}"
        f"/instances/{one.SOPInstanceUID}/frames/{frame}"
    )


CASES = {
    "ct 12 bits": ((512, 512), 12, False, 16, 0, 4095),
    "ct 16 bits signed": ((300, 421), 16, True, 16, -32768, 32767),
    "int16 with 12 bits": ((128, 128), 12, True, 16, -2048, 2047),
    "8 bits": ((97, 61), 8, False, 8, 0, 255),
    "colour": ((256, 200, 3), 8, False, 8, 0, 255),
    "large": ((1100, 1500), 14, False, 16, 0, 16383),
}


@pytest.mark.parametrize("name", CASES)
def test_exact(served, helpers, tmp_path, name):
    """What another library and, of grey, OpenJPEG's own program decode is what was stored."""
    shape, bits, signed, allocated, low, high = CASES[name]
    samples = picture(*shape, low=low, high=high)
    one = with_pixels(helpers, 1, samples, bits=bits, signed=signed, allocated=allocated)
    served.store(one)
    answer = served.client().get(url(one), headers={"Accept": SINGLE})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == SINGLE
    assert openjpeg.decode(answer.content).tolist() == samples.tolist()
    ends = resolution_ends(answer.content)
    smallest = min(shape[:2]) / 2 ** (len(ends) - 1)
    assert smallest <= 64
    assert answer.content[ends[-1] :] == b"\xff\xd9"
    cod = answer.content.index(b"\xff\x52")
    assert answer.content[cod + 5] == 2  # RPCL (ITU-T T.800 Table A.16)
    if shutil.which("opj_decompress") and samples.ndim == 2:
        (tmp_path / "a.j2k").write_bytes(answer.content)
        subprocess.run(
            ["opj_decompress", "-i", "a.j2k", "-o", "a.pgx"],
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip
        found = next(tmp_path.glob("a*.pgx")).read_bytes()
        head, _, body = found.partition(b"\n")
        order, sign, depth = head.split()[1:4]
        kind = ">" if order == b"ML" else "<"
        kind += ("i" if sign.startswith(b"-") else "u") + str(
            1 if int(sign[1:] or depth) <= 8 else 2
        )
        assert np.array_equal(np.frombuffer(body, kind).reshape(shape), samples)


def test_a_prefix_is_a_resolution(served, helpers, tmp_path):
    """The bytes up to a resolution's end decode to exactly that resolution."""
    one = with_pixels(helpers, 1, picture(512, 512, low=0, high=4095), bits=12)
    served.store(one)
    whole = served.client().get(url(one), headers={"Accept": SINGLE}).content
    ends = resolution_ends(whole)
    assert len(ends) == 4
    for level, end in enumerate(ends):
        part = served.client().get(
            url(one), headers={"Accept": SINGLE, "Range": f"bytes=0-{end - 1}"}
        )
        assert (part.status_code, len(part.content)) == (206, end)
        reduced = len(ends) - 1 - level
        (tmp_path / "whole.j2k").write_bytes(whole)
        (tmp_path / "part.j2k").write_bytes(part.content + b"\xff\xd9")
        found = []
        for name in ("whole", "part"):
            subprocess.run(
                ["opj_decompress", "-r", str(reduced), "-i", f"{name}.j2k", "-o", f"{name}.pgx"],
                cwd=tmp_path, check=True, capture_output=True,
            )  # fmt: skip
            found.append(next(tmp_path.glob(f"{name}*.pgx")).read_bytes())
            next(tmp_path.glob(f"{name}*.pgx")).unlink()
        assert found[0] == found[1]


def test_ranges_over_the_whole_body(served, helpers):
    """The header of the part included; the same bytes in every answer."""
    one = with_pixels(helpers, 1, picture(256, 256, low=0, high=4095), bits=12)
    served.store(one)
    client = served.client()
    whole = client.get(url(one), headers={"Accept": ACCEPT})
    total = len(whole.content)
    assert whole.headers["accept-ranges"] == "bytes"
    assert int(whole.headers["content-length"]) == total
    (headers, code_stream), = helpers.parts_of(whole)  # fmt: skip
    assert headers["content-type"] == SINGLE
    assert code_stream[:2] == b"\xff\x4f"
    again = client.get(url(one), headers={"Accept": ACCEPT})
    assert (again.content, again.headers["content-type"]) == (
        whole.content,
        whole.headers["content-type"],
    )
    pieces = []
    for start in range(0, total, 5000):
        stop = min(start + 5000, total)
        header = f"bytes={start}-" if stop == total else f"bytes={start}-{stop - 1}"
        part = client.get(url(one), headers={"Accept": ACCEPT, "Range": header})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{total}"
        assert int(part.headers["content-length"]) == stop - start
        assert part.headers["content-type"] == whole.headers["content-type"]
        pieces.append(part.content)
    assert b"".join(pieces) == whole.content
    bad = client.get(url(one), headers={"Accept": ACCEPT, "Range": f"bytes={total}-"})
    assert (bad.status_code, bad.headers["content-range"]) == (416, f"bytes */{total}")
    same = client.get(url(one), headers={"Accept": ACCEPT, "If-None-Match": whole.headers["etag"]})
    assert same.status_code == 304
    head = client.request("HEAD", url(one), headers={"Accept": ACCEPT})
    assert (head.content, int(head.headers["content-length"])) == (b"", total)


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        (ACCEPT, RPCL),
        (ACCEPT.replace('"', ""), RPCL),
        ("multipart/related; type=image/jphc", RPCL),
        ("image/jphc;transfer-syntax=*", RPCL),
        (f"multipart/related; type=application/octet-stream; transfer-syntax={RPCL}", RPCL),
        ("multipart/related; type=application/octet-stream; transfer-syntax=*", "1.2.1"),
        ("*/*", "1.2.1"),
        (f"multipart/related; type=application/octet-stream, {ACCEPT};q=0.5", "1.2.1"),
        (f"{ACCEPT}, */*;q=0.1", RPCL),
    ],
)  # fmt: skip
def test_negotiation(served, helpers, accept, given):
    """HTJ2K to who names it before what is stored."""
    one = with_pixels(helpers, 1, picture(64, 64, low=0, high=4095), bits=12)
    served.store(one)
    answer = served.client().get(url(one), headers={"Accept": accept})
    assert answer.status_code == 200
    assert re.search(
        rf"transfer-syntax=[0-9.]*{re.escape(given)}\b", answer.headers["content-type"]
    )


def test_refusals(served, helpers):
    """Nobody without a right, no frame that is not there, nothing that HTJ2K cannot hold."""
    one = with_pixels(helpers, 1, picture(64, 64, low=0, high=4095), bits=12)
    wide = with_pixels(helpers, 2, picture(32, 32, low=0, high=1 << 30), bits=32, allocated=32)
    served.store(one, wide)
    headers = {"Accept": ACCEPT}
    assert served.client("secretary").get(url(one), headers=headers).status_code == 403
    assert served.client(None).get(url(one), headers=headers).status_code == 401
    assert served.client().get(url(one, 2), headers=headers).status_code == 404
    answer = served.client().get(url(wide), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (406, "not-acceptable")
    assert "bits per sample" in answer.json()["detail"]


def test_a_damaged_frame_is_refused(served, helpers):
    """406 with the reason; the frame as stored is still given."""
    one = helpers.make_ct(1, transfer_syntax="1.2.840.10008.1.2.4.80")
    served.store(one)
    answer = served.client().get(url(one), headers={"Accept": ACCEPT})
    assert answer.status_code == 406
    assert "No HTJ2K rendition" in answer.json()["detail"]
    stored = served.client().get(url(one), headers={"Accept": "*/*"})
    assert stored.status_code == 200


def test_several_frames(served, helpers):
    """Of a multi-frame object in one answer, each with its location."""
    one = helpers.make_ct(1, size=64, frames=3)
    served.store(one)
    answer = served.client().get(url(one, "3,1"), headers={"Accept": ACCEPT})
    parts = helpers.parts_of(answer)
    assert [headers["content-location"][-9:] for headers, _ in parts] == ["/frames/3", "/frames/1"]
    assert [int(openjpeg.decode(data)[0, 0]) >> 8 for _, data in parts] == [3, 1]


def test_the_series_is_made_ahead(served, helpers):
    """One frame asked for, and the others are there soon; not when they are cancelled."""
    objects = [
        with_pixels(helpers, n, picture(64, 64, low=0, high=4095, seed=n), bits=12)
        for n in range(1, 31)
    ]
    served.store(*objects)
    renditions, cache = served.services.htj2k, served.services.derived
    made: list[str] = []
    kept = cache.put
    cache.put = lambda key, data: (made.append(key), kept(key, data))[1]
    served.client().get(url(objects[4]), headers={"Accept": ACCEPT})
    deadline = time.monotonic() + 20
    while len(made) < 30 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(set(made)) == len(made) == 30
    series = objects[0].SeriesInstanceUID
    while renditions.is_preparing(series) and time.monotonic() < deadline:
        time.sleep(0.05)
    renditions.cancel(series)
    assert not renditions.is_preparing(series)
    served.client().get(url(objects[5]), headers={"Accept": ACCEPT})
    assert len(made) == 30
