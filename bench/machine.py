"""The machine itself: what it is, and how fast its disk makes bytes durable."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

_RATE = re.compile(r"([\d.,]+) (k|M|G)?B/s\s*$")
_SCALE = {None: 1e-6, "k": 1e-3, "M": 1.0, "G": 1e3}


def describe(folder: Path) -> dict[str, str]:
    """Processor, memory, kernel, file system and programs, as text."""
    processor = ""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
    memory_kib = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1])  # type: ignore[index]
    mount = subprocess.run(
        ["df", "--output=fstype,source", str(folder)], capture_output=True, text=True, check=False
    ).stdout.splitlines()[-1:]
    return {
        "processor": f"{os.cpu_count()} × {processor}",
        "memory": f"{memory_kib / 2**20:.0f} GiB",
        "kernel": platform.release(),
        "system": _system(),
        "file system": " ".join(mount[0].split()) if mount else "",
        "python": platform.python_version(),
        "orthanc": _version("Orthanc"),
    }


def _system() -> str:
    release = Path("/etc/os-release")
    if not release.exists():
        return platform.system()
    found = re.search(
        r'^PRETTY_NAME="?([^"\n]+)', release.read_text(encoding="utf-8"), re.MULTILINE
    )
    return found[1] if found else platform.system()


def _version(program: str) -> str:
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        return "absent"
    output = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    return output.splitlines()[0].strip() if output else "unknown"


def durable_rate(folder: Path, *, megabytes: int = 200) -> dict[str, float]:
    """``dd`` in blocks of 512 KiB, MB/s: each block flushed (dsync), the whole once (fdatasync)."""
    blocks = megabytes * 2
    return {
        "dsync": _dd(folder, blocks, "oflag=dsync"),
        "fdatasync": _dd(folder, blocks * 2, "conv=fdatasync"),
    }


def _dd(folder: Path, blocks: int, flag: str) -> float:
    target = folder / "dd.bin"
    try:
        report = subprocess.run(
            ["dd", "if=/dev/zero", f"of={target}", "bs=512k", f"count={blocks}", flag],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "LC_ALL": "C"},
        ).stderr
    finally:
        target.unlink(missing_ok=True)
    found = _RATE.search(report.strip())
    return float(found[1].replace(",", ".")) * _SCALE[found[2]] if found else 0.0
