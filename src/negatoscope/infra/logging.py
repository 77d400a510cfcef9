"""Logs: one event, one line, on standard error; JSON, or colours on a terminal.

Nothing a peer sends can break a line: control characters are escaped in every value. Nothing
names a patient: values under the keys that would are withheld, and an exception is told by its
type, its own first line and where it rose, without the values a database or a validator adds.
"""

import json
import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

WITHHELD = "[withheld]"
"""Stands in the place of a value that would name a patient."""

_PERSONAL = re.compile(
    r"patient_?(s_)?(name|birth|address|telephone|mother)|^(PatientName|PatientBirthDate)$|"
    r"password|secret|authorization|^token$|bearer",
    re.IGNORECASE,
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_MAX_VALUE_CHARACTERS = 4000
_MAX_FRAMES = 12
MAX_KEPT_BYTES = 2 << 20


def configure(
    *,
    level: str = "info",
    format: Literal["auto", "json", "console"] = "auto",  # noqa: A002 - the setting's own word
    role: str | None = None,
    directory: Path | None = None,
) -> None:
    """Set logging up for this process, the standard library's included.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        format: ``auto`` is ``console`` when standard error is a terminal.
        role: Added to every event: which of the processes speaks.
        directory: Where the latest events are kept too, for the administration pages.
    """
    if format == "auto":
        format = "console" if sys.stderr.isatty() else "json"  # noqa: A001
    _LEVEL["least"] = logging.getLevelNamesMapping()[level.upper()]
    kept = None if directory is None else KeptLog(directory, role or "other")
    processors: list[Processor] = [
        _drop_below,
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _tell_exception,
        withhold_and_escape,
        *(() if kept is None else (kept.keep,)),
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_no_traceback)
        if format == "console"
        else _render_json,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=_StderrLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    if role is not None:
        structlog.contextvars.bind_contextvars(role=role)
        _ROLE["role"] = role
    handler = _StandardLibraryHandler()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    set_level(level)


def set_level(level: str) -> None:
    """Speak of less or of more, from now on."""
    number = logging.getLevelNamesMapping()[level.upper()]
    _LEVEL["least"] = number
    logging.getLogger().setLevel(number)
    for name in ("alembic", "procrastinate", "httpx", "python_multipart"):
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


_LEVEL: dict[str, int] = {"least": logging.INFO}


def _drop_below(_logger: WrappedLogger, name: str, event_dict: EventDict) -> EventDict:
    level = logging.getLevelNamesMapping().get(_LEVELS.get(name, name).upper(), logging.INFO)
    if level < _LEVEL["least"]:
        raise structlog.DropEvent
    return event_dict


_LEVELS = {"exception": "error", "warn": "warning", "fatal": "critical", "msg": "info"}


_ROLE: dict[str, str] = {}
"""Threads start with an empty context; the role of the process holds in all of them."""


class _StderrLogger:
    """Writes an event with one system call, so that processes sharing the stream do not mix."""

    def __init__(self, *_args: object) -> None:
        pass

    def msg(self, message: str) -> None:
        try:
            os.write(2, message.encode("utf-8", "backslashreplace") + b"\n")
        except OSError:
            return  # nobody reads our logs any more; that must not stop the archive

    log = debug = info = warning = warn = error = critical = exception = fatal = failure = msg


class _StandardLibraryHandler(logging.Handler):
    """Hands records of the standard library over, so that every library's events look the same."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger()
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)
        logger.log(record.levelno, message, logger=record.name, exc_info=record.exc_info or None)


def withhold_and_escape(_logger: WrappedLogger, _name: str, event_dict: EventDict) -> EventDict:
    """Withhold what names a patient or opens a door; escape what would break a line."""
    for key, value in _ROLE.items():
        event_dict.setdefault(key, value)
    return {
        _escape(str(key)): WITHHELD if _PERSONAL.search(str(key)) else _clean(value, 0)
        for key, value in event_dict.items()
    }


def _clean(value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth < 4 and isinstance(value, Mapping):
        return {
            _escape(str(key)): WITHHELD if _PERSONAL.search(str(key)) else _clean(item, depth + 1)
            for key, item in value.items()
        }
    if depth < 4 and isinstance(value, list | tuple | set | frozenset):
        return [_clean(item, depth + 1) for item in value]
    return _escape(str(value))


def _escape(text: str) -> str:
    if len(text) > _MAX_VALUE_CHARACTERS:
        text = text[:_MAX_VALUE_CHARACTERS] + "…"
    return _CONTROL.sub(_escape_character, text)


def _escape_character(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _tell_exception(_logger: WrappedLogger, _name: str, event_dict: EventDict) -> EventDict:
    exc_info = event_dict.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    if isinstance(exc_info, BaseException):
        error: BaseException | None = exc_info
    elif isinstance(exc_info, tuple) and len(exc_info) == 3:
        error = exc_info[1]
    else:
        error = None
    if error is not None:
        event_dict["raised"] = describe(error)
    return event_dict


def describe(error: BaseException) -> str:
    """An exception on one line: type, message without values, places, and its causes."""
    parts: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
        places = " > ".join(f"{_short(f.filename)}:{f.lineno} {f.name}" for f in frames)
        parts.append(f"{type(error).__name__}: {_message(error)} [{places}]")
        following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if following is None:
            break
        error = following
    return " <- ".join(parts)


def _message(error: BaseException) -> str:
    diagnosis = getattr(error, "diag", None)
    primary = getattr(diagnosis, "message_primary", None)
    if isinstance(primary, str):
        return primary
    lines = str(error).splitlines()
    return lines[0][:500] if lines else ""


def _short(path: str) -> str:
    for marker in ("/site-packages/", "/src/", "/lib/python"):
        if marker in path:
            return path.rsplit(marker, 1)[1]
    return path


class KeptLog:
    """The latest events of this process in a file of its own, two of ``MAX_KEPT_BYTES`` at most.

    Args:
        directory: Made when it is not there; only the account may read it.
        role: Part of the file's name.
    """

    def __init__(self, directory: Path, role: str) -> None:
        self._path = directory / f"{re.sub('[^a-z0-9-]', '-', role)}-{os.getpid()}.jsonl"
        self._lock = threading.Lock()
        self._fd: int | None = None
        self._size = 0
        self._pid = os.getpid()

    def keep(self, _logger: WrappedLogger, _name: str, event_dict: EventDict) -> EventDict:
        """Write an event; a disk that does not take it costs nothing but the copy."""
        line = _render_json(None, "", {**event_dict, "pid": self._pid}).encode(
            "utf-8", "backslashreplace"
        )
        with self._lock, suppress(OSError):
            if self._fd is None or self._size > MAX_KEPT_BYTES:
                self._open()
            if self._fd is not None:
                self._size += os.write(self._fd, line + b"\n")
        return event_dict

    def _open(self) -> None:
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            self._path.replace(self._path.with_suffix(".1.jsonl"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(self._path, flags, 0o600)
        self._size = os.fstat(self._fd).st_size


def _render_json(_logger: WrappedLogger, _name: str, event_dict: EventDict) -> str:
    ordered = {
        "at": event_dict.pop("timestamp", None),
        "level": event_dict.pop("level", None),
        "event": event_dict.pop("event", ""),
        **event_dict,
    }
    return json.dumps(ordered, ensure_ascii=False, default=str, separators=(",", ":"))


def _no_traceback(_stream: Any, _exc_info: Any) -> None:
    """Exceptions are told in the event itself."""
