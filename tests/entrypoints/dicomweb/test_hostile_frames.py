"""Objects that say they have billions of frames, and pictures of many frames in one answer (PS3.18 §10.4.1.1.3)."""

import asyncio
import time

import pytest

STUDY = "1.2.826.0.1.3680043.10.1.1"
PATH = f"/dicom-web/studies/{STUDY}/series/{STUDY}.1/instances/{STUDY}.1.1"
PICTURES = {"Accept": 'multipart/related; type="image/jpeg"'}
QUICK_S = 5.0


@pytest.mark.parametrize("count", ["2147483647", "1000000000"])
@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/rendered", PICTURES["Accept"]),
        ("/rendered", "video/mp4"),
        ("/rendered", "image/jpeg"),
        ("/thumbnail", "*/*"),
        ("/pixeldata", "*/*"),
        ("/bulkdata/7FE00010", 'multipart/related; type="application/octet-stream"'),
        ("/frames/1", "multipart/related; type=image/jphc"),
        ("", "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90"),
        ("", "application/zip"),
        ("/metadata", "application/dicom+json"),
    ],
)
def test_billions_of_frames_in_few_bytes(
    served, helpers, count: str, path: str, accept: str
) -> None:
    """An answer below 500, at once and without a list of them all."""
    one = helpers.make_ct(1)
    one.NumberOfFrames = count
    assert served.store(one).status_code == 200
    began = time.monotonic()
    answer = served.client().get(f"{PATH}{path}", headers={"Accept": accept})
    assert answer.status_code < 500
    assert time.monotonic() - began < QUICK_S


def test_every_picture_is_drawn_while_one_receive_waits(served, helpers) -> None:
    """Servers answer a second ``receive``, after one that was cancelled, with a disconnect."""
    served.store(helpers.make_ct(1, frames=4))
    token = served.token()
    asked: list[str] = []
    sent: list[dict] = []

    async def receive():
        asked.append("cancelled" if "waiting" in asked else "waiting" if asked else "request")
        if asked[-1] == "request":
            return {"type": "http.request", "body": b"", "more_body": False}
        if asked[-1] == "waiting":
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "scheme": "http", "http_version": "1.1",
        "path": f"{PATH}/rendered", "raw_path": b"", "query_string": b"",
        "client": ("127.0.0.1", 1), "server": ("archive.test", 80),
        "headers": [
            (b"host", b"archive.test"), (b"authorization", f"Bearer {token}".encode()),
            (b"accept", PICTURES["Accept"].encode()),
        ],
    }  # fmt: skip
    helpers.loop.run_until_complete(served.application(scope, receive, send))
    assert sent[0]["status"] == 200
    assert b"".join(one.get("body", b"") for one in sent[1:]).count(b"image/jpeg") == 4
