"""The nginx of the guide, with the very configuration that stands there."""

import asyncio
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import websockets

from negatoscope.infra.certificates import Authority
from negatoscope.subscribers import audit

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "admin" / "reverse-proxy.md"
pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(NGINX is None, reason="NO PROXY: nginx is not on this machine"),
]


@pytest.fixture(autouse=True)
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of the guide, for the server behind."""
    monkeypatch.setenv("NEGATOSCOPE_TRUSTED_PROXIES", '["127.0.0.1"]')


@dataclass(frozen=True)
class Proxy:
    """A running nginx."""

    https: int
    http: int
    ca: Path
    headers: dict[str, str]

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"https://localhost:{self.https}",
            verify=ssl.create_default_context(cafile=self.ca),
            headers=self.headers,
            timeout=30,
        )


@pytest.fixture
def proxy(running, tmp_path: Path, free_ports: Callable[[], int]) -> Iterator[Proxy]:
    """nginx with the block of the page; only addresses and files are put in."""
    authority = Authority(tmp_path / "ca")
    authority.make()
    issued = authority.issue("proxy", common_name="localhost", names=["localhost"])
    (block,) = re.findall(r"```nginx\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    http, https = free_ports(), free_ports()
    for old, new in (
        ("server 127.0.0.1:8080;", f"server {running.url.removeprefix('http://')};"),
        ("listen 80;", f"listen 127.0.0.1:{http};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{https} ssl;"),
        ("server_name archive.hospital.example;", "server_name localhost;"),
        ("/etc/ssl/archive.pem", str(issued.certificate)),
        ("/etc/ssl/private/archive.key", str(issued.key)),
    ):
        assert old in block, old
        block = block.replace(old, new)
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/nginx.log info;\n"
        "events {}\n"
        "http {\n"
        f"  access_log off; client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/temp;\n"
        f"  fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n"
        f"{block}\n}}\n"
    )
    process = subprocess.Popen([str(NGINX), "-p", str(tmp_path), "-c", "nginx.conf"])
    one = Proxy(https, http, authority.certificate_path, running.headers)
    try:
        for _ in range(100):
            try:
                with one.client() as client:
                    client.get("/healthz")
                break
            except httpx.HTTPError:
                assert process.poll() is None, (tmp_path / "nginx.log").read_text()
                time.sleep(0.1)
        yield one
    finally:
        process.terminate()
        process.wait(15)


def test_everything_passes(proxy: Proxy, served, helpers) -> None:
    """Large bodies, DICOMweb, links, events at once, WebSockets, the client's address, the redirect."""
    with proxy.client() as client:
        big = helpers.make_ct(1, size=1200)  # 2.9 MB; nginx takes 1 MB unless told
        body, header = helpers.related(helpers.part10(big), helpers.part10(helpers.make_ct(2)))
        stored = client.post("/dicom-web/studies", content=body, headers=header)
        assert stored.status_code == 200, stored.text

        # Links begin with the address that the client used.
        base = f"https://localhost:{proxy.https}"
        study = client.get("/dicom-web/studies").json()[0]
        assert study["00081190"]["Value"][0].startswith(f"{base}/dicom-web/studies/")
        uid = study["0020000D"]["Value"][0]
        retrieved = client.get(
            f"/dicom-web/studies/{uid}", headers={"accept": 'multipart/related; type="*/*"'}
        )
        assert len(retrieved.content) > 2_880_000

        # What a client writes in the headers of proxies is nobody's address.
        client.get(
            f"/dicom-web/studies/{uid}/metadata",
            headers={"x-forwarded-for": "203.0.113.9", "forwarded": "for=203.0.113.9;host=evil"},
        )
        peers = {one.peer for one in audit.search(served.services.database)}
        assert "203.0.113.9" not in peers
        assert "127.0.0.1" in peers

        # Server-sent events come out when they are sent.
        asked = time.monotonic()
        with client.stream(
            "GET", "/api/v1/events", headers={"accept": "text/event-stream"}
        ) as events:
            assert events.status_code == 200
            assert next(events.iter_raw())
        assert time.monotonic() - asked < 10

    context = ssl.create_default_context(cafile=proxy.ca)

    async def channel() -> None:
        url = f"wss://localhost:{proxy.https}/dicom-web/subscribers/VIEWER"
        async with websockets.connect(url, additional_headers=proxy.headers, ssl=context) as one:
            await one.ping()

    with proxy.client() as client:
        subscribed = client.post("/dicom-web/workitems/1.2.840.10008.5.1.4.34.5/subscribers/VIEWER")
        assert subscribed.status_code in (200, 201), subscribed.text
        location = subscribed.headers["content-location"]
        assert location == f"wss://localhost:{proxy.https}/dicom-web/subscribers/VIEWER"
    asyncio.run(channel())

    clear = httpx.get(f"http://localhost:{proxy.http}/studies?a=b", follow_redirects=False)
    assert clear.status_code == 308
    assert clear.headers["location"] == "https://localhost/studies?a=b"
