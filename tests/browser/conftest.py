"""A real browser: playwright-core and axe-core fetched with npm, the Chromium of this machine."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
