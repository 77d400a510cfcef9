"""A really running granian: strangers, lying clients, large objects."""

import os
import shutil
import socket
import subprocess
import threading
import time

import httpx
import psutil
import pytest
from dicomweb_client.api import DICOMwebClient

STUDY = "1.2.826.0.1.3680043.10.1.1"
SERIES = f"{STUDY}.1"
FRAMES = f"/dicom-web/studies/{STUDY}/series/{SERIES}/instances/{SERIES}.1/frames"


def test_dicomweb_client(running, helpers):
    """The usual Python client stores, searches, and gets back what it stored."""
    client = DICOMwebClient(f"{running.url}/dicom-web", headers=running.headers)
    objects = [helpers.make_ct(number) for number in (1, 2, 3)]
    said = client.store_instances(objects)
    assert len(said.ReferencedSOPSequence) == 3
    (study,) = client.search_for_studies(search_filters={"PatientName": "dupont*"})
    assert study["0020000D"]["Value"] == [STUDY]
    assert study["00201208"]["Value"] == [3]
    assert len(client.search_for_series(STUDY)) == 1
    assert len(client.search_for_instances(STUDY, SERIES)) == 3
    assert len(client.retrieve_series_metadata(STUDY, SERIES)) == 3
    assert len(client.retrieve_study_metadata(STUDY)) == 3
    found = client.retrieve_series(STUDY, SERIES)
    assert [one.PixelData for one in found] == [one.PixelData for one in objects]
    one = client.retrieve_instance(STUDY, SERIES, f"{SERIES}.2")
    assert one.PixelData == objects[1].PixelData
    frames = client.retrieve_instance_frames(STUDY, SERIES, f"{SERIES}.3", [1])
    assert frames == [objects[2].PixelData]
    assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []


@pytest.mark.stranger
@pytest.mark.skipif(shutil.which("curl") is None, reason="CURL IS MISSING")
def test_curl(running, helpers, tmp_path):
    """The commands of the page: store a file, find it, fetch it, compressed metadata."""
    (tmp_path / "image.dcm").write_bytes(helpers.part10(helpers.make_ct(1)))

    def curl(*arguments):
        done = subprocess.run(
            [
                "curl",
                "-sS",
                "--fail-with-body",
                "-H",
                f"Authorization: Bearer {running.token}",
                *arguments,
            ],
            capture_output=True,
            check=True,
            timeout=30,
        )
        return done.stdout

    url = f"{running.url}/dicom-web/studies"
    file = f"@{tmp_path}/image.dcm"
    said = curl("-H", "Content-Type: application/dicom", "--data-binary", file, url)
    assert b"00081199" in said
    assert STUDY.encode() in curl(f"{url}?PatientName=DUPONT*&limit=20")
    assert b"Thorax" in curl("--compressed", f"{url}/{STUDY}/metadata")
    curl("-H", "Accept: application/zip", "-o", str(tmp_path / "study.zip"), f"{url}/{STUDY}")
    shutil.unpack_archive(tmp_path / "study.zip", tmp_path / "out")
    (file,) = (tmp_path / "out").rglob("*.dcm")
    original = (tmp_path / "image.dcm").read_bytes()
    assert helpers.data_set_of(file.read_bytes()) == helpers.data_set_of(original)


def raw(running, head, body=b"", *, wait_s=5.0):
    """A request byte by byte; what came back within a while."""
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=wait_s) as sock:
        sock.sendall(
            head.replace("\n", "\r\n").encode()
            + f"Host: x\r\nAuthorization: Bearer {running.token}\r\n\r\n".encode()
            + body
        )
        answer = b""
        try:
            while piece := sock.recv(65536):
                answer += piece
                if b"\r\n\r\n" in answer:
                    break
        except TimeoutError:
            pass
        return answer


def test_a_lying_content_length(running, helpers):
    """Too short: the rest is no request. Too long: what was whole stays when the client goes."""
    body, header = helpers.related(helpers.part10(helpers.make_ct(1)))
    start = f"POST /dicom-web/studies HTTP/1.1\nContent-Type: {header['Content-Type']}\n"
    short = raw(running, f"{start}Content-Length: {len(body) - 20}\n", body)
    assert b" 400 " in short.split(b"\r\n")[0]
    raw(running, f"{start}Content-Length: {len(body) + 1000}\n", body, wait_s=1.0)
    deadline = time.monotonic() + 10
    url = f"{running.url}/dicom-web/studies/{STUDY}/metadata"
    while httpx.get(url, headers=running.headers).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_readers_that_go_away_leave_nothing_open(running, helpers):
    """Fifty cut downloads: the server serves on, its open files do not grow."""
    big = helpers.make_ct(1, size=1024, frames=8)
    headers = running.headers | {"Content-Type": "application/dicom"}
    url = f"{running.url}/dicom-web/studies"
    stored = httpx.post(url, content=helpers.part10(big), headers=headers, timeout=30)
    assert stored.status_code == 200
    worker = psutil.Process(running.process.pid).children()[-1]

    def cut():
        with (
            httpx.Client(headers=running.headers) as client,
            client.stream("GET", f"{url}/{STUDY}") as answer,
        ):
            next(answer.iter_raw())

    cut()
    time.sleep(1)
    before = worker.num_fds()
    threads = [threading.Thread(target=cut) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert httpx.get(f"{running.url}{FRAMES}/1", headers=running.headers).status_code == 200
    time.sleep(1)
    assert worker.num_fds() <= before + 24  # connections to the database may have been added


@pytest.mark.slow
def test_memory_does_not_depend_on_the_object(running, helpers):
    """An object of 1 GB in and out: the process stays below 200 MB."""
    size = 1 << 30
    head = helpers.part10(helpers.make_ct(1, size=16))
    pixels = head.rindex(b"\xe0\x7f\x10\x00OW\x00\x00")
    head = head[: pixels + 8] + (size).to_bytes(4, "little")
    worker = psutil.Process(running.process.pid).children()[-1]
    peak = [0]
    done = threading.Event()

    def watch():
        while not done.wait(0.02):
            peak[0] = max(peak[0], worker.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    chunk = os.urandom(1 << 20)

    def body():
        yield b"--b\r\nContent-Type: application/dicom\r\n\r\n" + head
        for _ in range(size // len(chunk)):
            yield chunk
        yield b"\r\n--b--\r\n"

    headers = running.headers | {
        "Content-Type": 'multipart/related; type="application/dicom"; boundary=b'
    }
    url = f"{running.url}/dicom-web/studies"
    try:
        stored = httpx.post(url, content=body(), headers=headers, timeout=120)
        assert stored.status_code == 200, stored.text
        with httpx.stream("GET", f"{url}/{STUDY}", headers=running.headers, timeout=120) as back:
            assert back.status_code == 200
            received = sum(len(piece) for piece in back.iter_raw(1 << 20))
            assert received == int(back.headers["content-length"]) > size
    finally:
        done.set()
        watcher.join()
    assert peak[0] < 200 << 20, f"{peak[0] >> 20} MiB"


def test_the_database_goes_away_and_comes_back(running, served, helpers):
    """503 with Retry-After meanwhile, no crash, service resumes alone."""
    served.store(helpers.make_ct(1))
    url = f"{running.url}/dicom-web/studies"
    with served.services.database.connect(autocommit=True) as connection:
        name = connection.execute("SELECT current_database()").fetchone()[0]
    assert httpx.get(url, headers=running.headers).status_code == 200
    with served.services.database.connect(autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND pid <> pg_backend_pid()",
            (name,),
        )
    deadline = time.monotonic() + 15
    while (answer := httpx.get(url, headers=running.headers, timeout=30)).status_code != 200:
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_damaged_object_cuts_the_answer(running, served, helpers):
    """When bytes were on their way already, the client sees that it has not all."""
    objects = [helpers.make_ct(number, size=1024) for number in (1, 2)]
    assert served.store(*objects).status_code == 200
    stored = served.services.retrieval.find(f"{SERIES}.2")
    with stored.path.open("r+b") as segment:
        segment.seek(stored.offset + stored.pixel_offset + 3)
        segment.write(b"\x99")
    url = f"{running.url}/dicom-web/studies/{STUDY}"
    with pytest.raises(httpx.RemoteProtocolError):
        answer = httpx.get(url, headers=running.headers, timeout=20)
        pytest.fail(f"{answer.status_code} {answer.headers} {len(answer.content)}")
    first = f"{url}/series/{SERIES}/instances/{SERIES}.1"
    assert httpx.get(first, headers=running.headers).status_code == 200
