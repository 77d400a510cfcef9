"""A real browser: playwright-core and axe-core fetched with npm, the Chromium of this machine."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

WORKER = """
from negatoscope.app.roles import run_worker
from negatoscope.infra.settings import Settings

run_worker(Settings.load())
"""
HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of this folder with what they import beside them."""
    if CHROMIUM is None:
        pytest.skip("NO BROWSER: chromium is not on this machine")
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NO BROWSER TEST: node or npm is not on this machine")
    folder = tmp_path_factory.mktemp("browser")
    for path in (*HERE.glob("*.json"), *HERE.glob("*.mjs")):
        shutil.copy(path, folder)
    done = subprocess.run(
        ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    if done.returncode:
        pytest.skip(f"NO BROWSER TEST: npm cannot fetch playwright-core: {done.stderr[-300:]}")
    return folder


@pytest.fixture(scope="session")
def drive(scripts: Path) -> Callable[..., Any]:
    """Run a script with what it needs to know; gives what it says."""

    def drive(name: str, *, timeout_s: float = 240, **told: object) -> Any:
        done = subprocess.run(
            ["node", str(scripts / name), json.dumps({"chromium": CHROMIUM, **told})],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    return drive


@pytest.fixture
def serving(
    database_url: str, free_port: int, tmp_path: Path
) -> Callable[[], AbstractContextManager[str]]:
    """Starts HTTP and a worker on the test's database; gives the address."""
    environment = os.environ | {
        "NEGATOSCOPE_DATA_DIR": str(tmp_path / "data"),
        "NEGATOSCOPE_DATABASE_URL": database_url,
        "NEGATOSCOPE_HTTP": f"127.0.0.1:{free_port}",
    }
    commands = (
        [
            *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory"),
            *("--host", "127.0.0.1", "--port", str(free_port), "--loop", "uvloop"),
            *("--no-access-log", "negatoscope.app.asgi:create_app"),
        ],
        [sys.executable, "-c", WORKER],
    )
    url = f"http://127.0.0.1:{free_port}"

    @contextmanager
    def start() -> Iterator[str]:
        log = tmp_path / "http.log"
        with log.open("wb") as out:
            processes = [
                subprocess.Popen(command, env=environment, stdout=out, stderr=out)
                for command in commands
            ]
        try:
            until = time.monotonic() + 60
            while True:
                assert all(one.poll() is None for one in processes), log.read_text()
                assert time.monotonic() < until, log.read_text()
                try:
                    if httpx.get(f"{url}/readyz").status_code == 200:
                        break
                except httpx.HTTPError:
                    pass
                time.sleep(0.1)
            yield url
        finally:
            for one in processes:
                one.terminate()
            for one in processes:
                one.wait(30)

    return start
