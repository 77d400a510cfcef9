"""Take the pictures of the department in docs/images from a freshly loaded demonstration.

    python tools/take_pictures.py [NAME …]

Needs what the browser tests need (Chromium, Node.js, npm) and a built web application. The demonstration runs in a time
zone where the morning is half over, so that the board has examinations in every state at any hour of the day.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "tests" / "browser"
IMAGES = ROOT / "docs" / "images"
LATE_MORNING_H = 11
READY_WITHIN_S = 180


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _zone() -> str:
    """A time zone where it is late morning now."""
    ahead = LATE_MORNING_H - datetime.now(UTC).hour
    ahead = ahead + 24 if ahead < -12 else ahead
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def _wait(url: str, process: subprocess.Popen[bytes], accounts: Path) -> None:
    """Until the server answers and its demonstration is loaded.

    Raises:
        SystemExit: it ended, or takes too long.
    """
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if accounts.exists() and httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise SystemExit("the demonstration does not start")


def main(wanted: list[str]) -> int:
    """Start, take, stop. Returns: the exit code of the browser's script."""
    with tempfile.TemporaryDirectory(prefix="nsc-pictures-") as folder:
        place = Path(folder)
        for path in (*SCRIPTS.glob("*.json"), *SCRIPTS.glob("*.mjs")):
            shutil.copy(path, place)
        shutil.copy(ROOT / "tools" / "pictures.mjs", place)
        install = ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=place, check=True)
        http, dicom, hl7 = (_free_port() for _ in range(3))
        url = f"http://127.0.0.1:{http}"
        zone = _zone()
        command = [sys.executable, "-m", "negatoscope", "serve", "--demo"]
        command += ["--data-dir", str(place / "data"), "--http", f"127.0.0.1:{http}"]
        command += ["--dicom", f"127.0.0.1:{dicom}", "--hl7", f"127.0.0.1:{hl7}"]
        with (place / "serve.log").open("wb") as log:
            server = subprocess.Popen(
                command,
                env=os.environ | {"NEGATOSCOPE_TIME_ZONE": zone},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            accounts = place / "data" / "demo-accounts.json"
            _wait(url, server, accounts)
            while b"is ready" not in (place / "serve.log").read_bytes():
                time.sleep(0.5)
            told = {
                "chromium": shutil.which("chromium") or shutil.which("chromium-browser"),
                "url": url,
                "accounts": json.loads(accounts.read_text(encoding="utf-8")),
                "screenshots": str(IMAGES),
                "wanted": wanted,
            }
            script = ["node", str(place / "pictures.mjs"), json.dumps(told)]
            return subprocess.run(script, env=os.environ | {"TZ": zone}, check=False).returncode
        finally:
            server.terminate()
            server.wait(60)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
