"""Reading the latest log events of this machine's processes (``logging.KeptLog`` writes them)."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MAX_TOTAL_BYTES: Final = 64 << 20
READ_BYTES: Final = 1 << 20
"""Looked at from the end of each file."""
_MAX_FILES: Final = 64
_LEVELS: Final = {"debug": 0, "info": 1, "warning": 2, "error": 3, "critical": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """One event.

    Attributes:
        at: As written, UTC.
        level: ``info`` …
        role: Which kind of process spoke.
        pid: Which one.
        event: What it says.
        values: What goes with it.
    """

    at: str
    level: str
    role: str
    pid: int
    event: str
    values: dict[str, Any]


def tail(
    directory: Path,
    *,
    level: str = "debug",
    role: str | None = None,
    text: str = "",
    before: str | None = None,
    limit: int = 200,
) -> list[LogEvent]:
    """The latest events that match, the latest first.

    Args:
        directory: Where the processes of this machine keep them.
        level: This one or more severe.
        role: Of these processes only.
        text: Contained in the event or its values, whatever the case.
        before: Only older ones than this ``at``.
        limit: At most.
    """
    least = _LEVELS.get(level, 0)
    wanted = text.casefold()
    found: list[LogEvent] = []
    for path in _files(directory)[:_MAX_FILES]:
        matched = 0
        for line in _lines_backwards(path):
            if wanted and wanted not in line.casefold():
                continue
            event = _event(line)
            if event is None or _LEVELS.get(event.level, 1) < least:
                continue
            if role is not None and event.role != role:
                break
            if before is not None and event.at >= before:
                continue
            found.append(event)
            matched += 1
            if matched >= limit:
                break
    found.sort(key=lambda event: event.at, reverse=True)
    return found[:limit]


def prune(directory: Path) -> None:
    """Keep the directory small: files of processes that are gone, the oldest first."""
    total = 0
    for path in _files(directory):
        try:
            total += path.stat().st_size
            if total > MAX_TOTAL_BYTES and not _is_alive(path):
                path.unlink()
        except OSError:
            continue


def _files(directory: Path) -> list[Path]:
    """Its files, the one written last first."""
    stamped = []
    for path in directory.glob("*.jsonl") if directory.is_dir() else ():
        try:
            stamped.append((path.stat().st_mtime_ns, path))
        except OSError:
            continue
    return [path for _, path in sorted(stamped, reverse=True)]


def _lines_backwards(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - READ_BYTES)
            file.seek(start)
            data = file.read(READ_BYTES)
    except OSError:
        return
    lines = data.split(b"\n")
    for line in reversed(lines[1:] if start else lines):
        if line:
            yield line.decode("utf-8", "replace")


def _event(line: str) -> LogEvent | None:
    try:
        values = json.loads(line)
    except ValueError:
        return None
    if not isinstance(values, dict):
        return None
    return LogEvent(
        at=str(values.pop("at", "") or ""),
        level=str(values.pop("level", "") or "info"),
        role=str(values.pop("role", "") or ""),
        pid=int(values.pop("pid", 0) or 0),
        event=str(values.pop("event", "")),
        values=values,
    )


def _is_alive(path: Path) -> bool:
    pid = path.name.split(".")[0].rpartition("-")[2]
    return pid.isdigit() and Path("/proc", pid).exists()
