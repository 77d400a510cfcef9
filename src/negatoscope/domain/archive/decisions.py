"""What an administrator's decision about a version does to the index: taken now, after a crash, or while rebuilding.

A decision is a journal member of a segment (JSON: ``decision`` accept or dismiss, ``sop_instance_uid``, ``sha256`` of the
version it is about, ``by``, ``at``). It is durable before the index changes, so whoever died in between has decided: recovery
applies it. Of several decisions about one version, which such a death makes possible, the last counts.
"""

from typing import Any

from psycopg.types.json import Jsonb

from negatoscope.domain.archive.errors import ArchiveError
from negatoscope.infra.db import load_queries

_SQL = load_queries("negatoscope.domain.archive.sql", "lifecycle.sql")


class NoSuchDecision(ArchiveError):
    """The object is not pending, or this kind of conflict cannot be accepted here."""


def version_of(decision: dict[str, Any]) -> tuple[str, str]:
    """Which version a decision is about: SOP Instance UID, digest."""
    return str(decision["sop_instance_uid"]), str(decision["sha256"])


def apply_decision(connection: Any, decision: dict[str, Any]) -> bool:
    """Do what a decision says, in the caller's transaction.

    Returns: False when it is done already, or what it is about is not there.
    """
    uid, sha256 = version_of(decision)
    row = connection.execute(
        _SQL["pending_version"], {"uid": uid, "sha256": bytes.fromhex(sha256)}
    ).fetchone()
    if row is None:
        return False
    key, reason, segment, offset, size, digest, record = row
    by = str(decision["by"])
    if decision["decision"] == "accept":
        if reason != "CONTENT DIFFERS":
            return False
        try:
            accept_version(
                connection, uid=uid, segment=segment, offset=offset, size=size, sha256=digest,
                record=record, by=by,
            )  # fmt: skip
        except NoSuchDecision:
            return False
        connection.execute(_SQL["remove_set_aside"], {"id": key})
    else:
        connection.execute(_SQL["resolve_set_aside"], {"id": key, "state": "DISMISSED", "by": by})
    connection.execute(_SQL["close_tasks"], {"kind": "object-set-aside", "subject": uid, "by": by})
    return True


def accept_version(
    connection: Any,
    *,
    uid: str,
    segment: int,
    offset: int,
    size: int,
    sha256: bytes,
    record: dict[str, Any],
    by: str,
) -> None:
    """Swap the current version of an instance with the one described, in the caller's transaction.

    Raises: NoSuchDecision: the first version is not there any more.
    """
    current = connection.execute(_SQL["current_version"], {"uid": uid}).fetchone()
    if current is None:
        raise NoSuchDecision("the first version is not there any more")
    connection.execute(
        _SQL["put_aside"],
        {
            "uid": uid, "study": current[6], "series": current[7], "sha256": current[3], "segment": current[0],
            "offset": current[1], "size": current[2], "by": by,
            "record": Jsonb({
                "sop": uid, "dso": current[4], "po": current[8], "ts": current[9], "cls": current[10], "num": current[11],
                "frames": current[12], "fl": current[13], "nrows": current[14], "ncols": current[15],
                "bits": current[16], "fi": current[17], "crc": current[18],
            }),
        },
    )  # fmt: skip
    connection.execute(
        _SQL["swap_version"],
        {
            "uid": uid, "segment": segment, "offset": offset, "size": size, "sha256": sha256,
            "record": Jsonb(record),
        },
    )  # fmt: skip
    connection.execute(_SQL["touch_series"], {"series": current[5]})
