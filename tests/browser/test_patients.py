"""Patients in a real browser: they come by HL7, are found, opened, corrected and typed in; no text of theirs runs."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from negatoscope.entrypoints.web.site.build import DIST

pytestmark = [pytest.mark.slow, pytest.mark.stranger]
PASSWORD = "quatre mots sans espace"
SCRIPT = "<SCRIPT>ALERT(1)</SCRIPT>"
HEAD = "MSH|^~\\&|GAM|CHU|RIS|CHU|20260301080000||ADT^{event}|{number}|P|2.5|||||FRA|UNICODE UTF-8\rEVN||20260301080000\r"
INS = "~260058815400244^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
PEOPLE = (
    (
        f"PID|||P1^^^CHU&750&N^PI{INS}||LEFEVRE^Marie^^^^^L~LEFÈVRE-DUBOIS^Marie^^^^^D||19480314|F||||||||||"
        "D1^^^CHU&750&N^AN||||||||||||||VALI\rPV1||I|MED^12||||||||||||||||V1^^^CHU&750&N^VN\r"
        "ZBE|1^CHU|20260301074500||INSERT|N||Chirurgie V^^^^^^UF^^^6268||HMS\r"
    ),
    "PID|||P2^^^CHU&750&N^PI||PETIT^Jean^^^^^L||19900201|M\rPV1||N\r",
    f"PID|||P3^^^CHU&750&N^PI||{SCRIPT}^x^^^^^L||1980|F\rPV1||N\r",
)


@pytest.fixture(scope="module")
def office(
    scripts: Path, tmp_path_factory: pytest.TempPathFactory, free_ports: Callable[[], int]
) -> Iterator[SimpleNamespace]:
    """`serve` with an account and three patients of an admission office."""
    if not (DIST / "index.html").exists():
        pytest.skip("NO WEB APPLICATION: it is not built here; `make web` does it")
    data_dir = tmp_path_factory.mktemp("office")
    url, hl7 = f"http://127.0.0.1:{free_ports()}", free_ports()
    environment = os.environ | {
        "NEGATOSCOPE_DATA_DIR": str(data_dir),
        "NEGATOSCOPE_HTTP": url.removeprefix("http://"),
        "NEGATOSCOPE_DICOM": f"127.0.0.1:{free_ports()}",
        "NEGATOSCOPE_HL7": f"127.0.0.1:{hl7}",
    }
    command = [sys.executable, "-m", "negatoscope"]
    with (data_dir / "log").open("wb") as log:
        process = subprocess.Popen([*command, "serve"], env=environment, stdout=log, stderr=log)
    try:
        for _ in range(900):
            try:
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            assert process.poll() is None, (data_dir / "log").read_text()
            time.sleep(0.1)
        add = [*command, "user", "add", "chief", "--role", "administrator", "--password-stdin"]
        subprocess.run(add, env=environment, input=PASSWORD, text=True, check=True, timeout=60)
        with socket.create_connection(("127.0.0.1", hl7), timeout=20) as sender:
            for number, one in enumerate(PEOPLE):
                event = "A01" if "ZBE" in one else "A28"
                text = HEAD.format(event=event, number=number) + one
                sender.sendall(b"\x0b" + text.encode() + b"\x1c\r")
                assert b"MSA|AA" in sender.recv(65536)
        yield SimpleNamespace(url=url)
    finally:
        process.terminate()
        process.wait(60)


def test_patients(office: SimpleNamespace, drive: Callable[..., Any], tmp_path: Path) -> None:
    """Found, opened, corrected, typed in; units of a file."""
    report = drive(
        "patients.mjs",
        url=office.url,
        user="chief",
        password=PASSWORD,
        script=SCRIPT,
        screenshots=os.environ.get("NEGATOSCOPE_SCREENSHOTS", str(tmp_path)),
    )
    assert report["problem"] is None, report
    assert report["dialogs"] == [], "a script in somebody's name was run"
    assert report["violations"] == []
    refused = [line for line in report["console"] if "409 (Conflict)" in line]
    assert [line for line in report["console"] if line not in refused] == []
    assert len(refused) == 1, "the similar patient, nothing else"
    assert report["serious"] == [], "\n".join(report["serious"])
