"""A served archive for the tests of the HTTP wires: in this process, or behind a real granian."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import httpx
import psycopg
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset

from negatoscope.domain.identity import tokens, users
from negatoscope.entrypoints.web.app import HttpApplication, create_app
from negatoscope.entrypoints.web.services import Services
from negatoscope.infra.db.embedded import EmbeddedPostgres
from negatoscope.infra.settings import HostPort, Settings

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
JPEG_LS = "1.2.840.10008.1.2.4.80"
CT = "1.2.840.10008.5.1.4.1.1.2"
PASSWORD = "quatre mots sans espace"


def make_ct(
    number: int = 1,
    *,
    study: str = "1.2.826.0.1.3680043.10.1.1",
    series: int = 1,
    name: str = "DUPONT^Éloïse",
    patient_id: str = "P1",
    size: int = 16,
    transfer_syntax: str = EXPLICIT,
    frames: int = 1,
    **more: object,
) -> Dataset:
    """A CT image whose pixels tell its number."""
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 192"
    one.SOPClassUID = CT
    one.SOPInstanceUID = f"{study}.{series}.{number}"
    one.StudyInstanceUID = study
    one.SeriesInstanceUID = f"{study}.{series}"
    one.StudyDate, one.StudyTime = "20261123", "101500"
    one.AccessionNumber = "A77"
    one.Modality = "CT"
    one.StudyDescription = "Scanner thoracique"
    one.SeriesDescription = "Thorax 1.0"
    one.SeriesNumber, one.InstanceNumber = series, number
    one.PatientName, one.PatientID = name, patient_id
    one.PatientBirthDate, one.PatientSex = "19610503", "F"
    one.Rows = one.Columns = size
    one.SamplesPerPixel, one.BitsAllocated, one.BitsStored, one.HighBit = 1, 16, 12, 11
    one.PixelRepresentation, one.PhotometricInterpretation = 0, "MONOCHROME2"
    if frames > 1:
        one.NumberOfFrames = frames
    pixels = b"".join(bytes([number, n]) * (size * size) for n in range(1, frames + 1))
    one.PixelData = pixels
    for keyword, value in more.items():
        setattr(one, keyword, value)
    one.preamble = bytes(128)
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = transfer_syntax
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    if transfer_syntax == JPEG_LS:
        one.PixelData = pydicom.encaps.encapsulate(
            [b"\xff\xd8" + bytes([n]) * 9 for n in range(frames)]
        )
        one["PixelData"].VR = "OB"
        one["PixelData"].is_undefined_length = True
    return one


def part10(one: Dataset) -> bytes:
    """The Part 10 file of a data set."""
    buffer = BytesIO()
    one.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def data_set_of(file: bytes) -> bytes:
    """The bytes after the file meta information."""
    length = int.from_bytes(file[140:144], "little")
    return file[144 + length :]


def related(*files: bytes, boundary: str = "b0") -> tuple[bytes, dict[str, str]]:
    """A multipart/related body and its header."""
    body = b"".join(
        b"--%b\r\nContent-Type: application/dicom\r\n\r\n%b\r\n" % (boundary.encode(), file)
        for file in files
    )
    header = f'multipart/related; type="application/dicom"; boundary={boundary}'
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": header}


def parts_of(response: httpx.Response) -> list[tuple[dict[str, str], bytes]]:
    """Headers and bytes of every part of a multipart answer, read with the simplest of code."""
    content_type = response.headers["content-type"]
    boundary = content_type.split("boundary=")[1].strip('"').encode()
    pieces = (b"\r\n" + response.content).split(b"\r\n--" + boundary)
    assert pieces[-1].startswith(b"--")
    parts = []
    for piece in pieces[1:-1]:
        head, _, body = piece.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().strip().split("\r\n")]
        parts.append(({name.lower(): value for name, value in lines}, body))
    return parts


@pytest.fixture(scope="session")
def helpers() -> SimpleNamespace:
    """What the tests make objects and bodies with."""
    return SimpleNamespace(
        make_ct=make_ct,
        part10=part10,
        data_set_of=data_set_of,
        related=related,
        parts_of=parts_of,
        password=PASSWORD,
        loop=LOOP,
    )


@dataclass
class Served:
    """An archive and clients for it."""

    services: Services
    application: HttpApplication

    def token(self, role: str = "radiologist") -> str:
        """A bearer token of an account with one role."""
        name = f"test-{role}"
        if not any(user.name == name for user in users.list_users(self.services.database)):
            users.create(self.services.database, name=name, roles=[role])
        return tokens.create(self.services.database, user_name=name, expires_in=timedelta(hours=1))

    def client(self, role: str | None = "radiologist") -> "Client":
        """A client in this process."""
        headers = {} if role is None else {"Authorization": f"Bearer {self.token(role)}"}
        return Client(self.application, headers)

    def store(self, *objects: Dataset) -> httpx.Response:
        """STOW-RS."""
        body, header = related(*(part10(one) for one in objects))
        return self.client().post("/dicom-web/studies", content=body, headers=header)


class Client:
    """Requests to the application without a socket, one event loop for all."""

    def __init__(self, application: HttpApplication, headers: dict[str, str]) -> None:
        self._transport = httpx.ASGITransport(app=application)
        self.headers = headers
        self.cookies = httpx.Cookies()

    def request(self, method: str, path: str, **options: object) -> httpx.Response:
        """One request."""

        async def go() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self._transport,
                base_url="http://archive.test",
                headers=self.headers,
                cookies=self.cookies,
            ) as client:
                response = await client.request(method, path, **options)
                self.cookies = client.cookies
                return response

        return LOOP.run_until_complete(go())

    def get(self, path: str, **options: object) -> httpx.Response:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: object) -> httpx.Response:
        """POST."""
        return self.request("POST", path, **options)


LOOP = asyncio.new_event_loop()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Of an archive in a folder of the test's own."""
    return Settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        http=HostPort("127.0.0.1", 8080),
        volumes=[{"name": "main", "path": tmp_path / "volume", "low_watermark_bytes": 0}],
    )


@pytest.fixture(autouse=True)
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A web application of one line in place of the real one, which needs Node.js to be built."""
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "index.html").write_text("<!doctype html><title>Negatoscope</title>")
    monkeypatch.setattr("negatoscope.entrypoints.web.site.build.DIST", dist)
    return dist


@pytest.fixture
def served(settings: Settings) -> Iterator[Served]:
    """The application in this process, with its services open."""
    services = Services.open(settings)
    application = create_app(settings, services)
    yield Served(services, application)
    LOOP.run_until_complete(application.stop())


@pytest.fixture(scope="module")
def shared_served(
    postgres: EmbeddedPostgres, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The same for all tests of a module: for those that only read."""
    folder = tmp_path_factory.mktemp("shared")
    name = f"shared_{os.getpid()}_{folder.name}"
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute(
            f'CREATE DATABASE "{name}" TEMPLATE {_template} OWNER negatoscope STRATEGY FILE_COPY'
        )
    settings = Settings(
        data_dir=folder / "data",
        database_url=postgres.url.replace("@/negatoscope?", f"@/{name}?"),
        volumes=[{"name": "main", "path": folder / "volume", "low_watermark_bytes": 0}],
    )
    services = Services.open(settings)
    application = create_app(settings, services)
    yield Served(services, application)
    LOOP.run_until_complete(application.stop())
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@dataclass(frozen=True)
class Running:
    """A granian of its own process."""

    url: str
    token: str
    process: subprocess.Popen[bytes]

    @property
    def headers(self) -> dict[str, str]:
        """With the bearer token."""
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture
def running(
    settings: Settings, served: Served, free_port: int, tmp_path: Path
) -> Iterator[Running]:
    """The same archive behind a really running server; the token is a radiologist's."""
    environment = os.environ | {
        "NEGATOSCOPE_DATA_DIR": str(settings.data_dir),
        "NEGATOSCOPE_DATABASE_URL": str(settings.database_url),
        "NEGATOSCOPE_HTTP": f"127.0.0.1:{free_port}",
        "NEGATOSCOPE_VOLUMES": (
            f'[{{"name":"main","path":"{tmp_path}/volume","low_watermark_bytes":0}}]'
        ),
    }
    with (tmp_path / "http.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory"),
                *("--host", "127.0.0.1", "--port", str(free_port), "--loop", "uvloop"),
                *("--ws", "--no-access-log", "negatoscope.app.asgi:create_app"),
            ],
            env=environment,
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{free_port}"
    try:
        for _ in range(200):
            try:
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            assert process.poll() is None, (tmp_path / "http.log").read_text()
            time.sleep(0.1)
        else:
            raise AssertionError((tmp_path / "http.log").read_text())
        yield Running(url, served.token(), process)
    finally:
        process.terminate()
        process.wait(30)
