"""What is counted and timed, over all processes.

Processes share a directory of memory-mapped files (``PROMETHEUS_MULTIPROC_DIR``, set by the
supervisor for its children); ``render`` adds them up, so any process can answer ``/metrics``.
Recording takes one to three microseconds: a lock of the process and a few writes to mapped
memory. Label values come from our own tables, never from a peer.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_process_id = [os.getpid()]
os.register_at_fork(after_in_child=lambda: _process_id.__setitem__(0, os.getpid()))
if values.ValueClass._multiprocess:
    # a system call for each figure recorded otherwise: eight for each object stored
    values.ValueClass = values.MultiProcessValue(lambda: _process_id[0])  # type: ignore[no-untyped-call]

_SECONDS = (
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip

C_STORE_SECONDS = Histogram(
    "negatoscope_c_store_seconds", "From the C-STORE-RQ to its response.", buckets=_SECONDS
)
C_FIND_SECONDS = Histogram(
    "negatoscope_c_find_seconds",
    "From the C-FIND-RQ to the final response.",
    ["level"],
    buckets=_SECONDS,
)
RETRIEVE_SECONDS = Histogram(
    "negatoscope_retrieve_seconds",
    "From the request to the last byte of its answer.",
    ["service"],
    buckets=_SECONDS,
)
HTTP_SECONDS = Histogram(
    "negatoscope_http_seconds",
    "From the request line to the last byte of the answer.",
    ["route", "status"],
    buckets=_SECONDS,
)
INDEX_COMMIT_SECONDS = Histogram(
    "negatoscope_index_commit_seconds", "One transaction of the index.", buckets=_SECONDS
)
FSYNC_SECONDS = Histogram(
    "negatoscope_fsync_seconds", "One fdatasync of a segment.", buckets=_SECONDS
)
OUTBOX_SECONDS = Histogram(
    "negatoscope_outbox_seconds",
    "From an event's commit to its last subscriber.",
    ["kind"],
    buckets=_SECONDS,
)
OBJECTS = Counter("negatoscope_objects", "Objects by door and outcome.", ["door", "outcome"])
BYTES = Counter("negatoscope_bytes", "Bytes of objects.", ["direction"])
REFUSALS = Counter(
    "negatoscope_refusals", "What was refused, by wire and reason.", ["wire", "reason"]
)
HL7_MESSAGES = Counter(
    "negatoscope_hl7_messages",
    "HL7 messages kept, by message code and acknowledgment.",
    ["message_code", "acknowledgment"],
)
HL7_SENT = Counter(
    "negatoscope_hl7_sent",
    "HL7 messages to other systems, by destination and what was answered.",
    ["destination", "answer"],
)
HL7_OUTBOUND_WAITING = Gauge(
    "negatoscope_hl7_outbound_waiting",
    "HL7 messages in the queue of a destination.",
    ["destination"],
    multiprocess_mode="mostrecent",
)
HL7_OUTBOUND_OLDEST_SECONDS = Gauge(
    "negatoscope_hl7_outbound_oldest_seconds",
    "Age of the first message in the queue of a destination.",
    ["destination"],
    multiprocess_mode="mostrecent",
)
HL7_OUTBOUND_REFUSED = Gauge(
    "negatoscope_hl7_outbound_refused",
    "HL7 messages that a destination refused and nobody has looked at.",
    ["destination"],
    multiprocess_mode="mostrecent",
)
EVENTS_PARKED = Counter(
    "negatoscope_events_parked", "Outbox events set aside after repeated failure.", ["kind"]
)
AUDIT_SEALED = Counter("negatoscope_audit_sealed", "Audit records chained.")
AUDIT_WAITING = Gauge(
    "negatoscope_audit_waiting", "Audit records not chained yet.", multiprocess_mode="mostrecent"
)
AUDIT_LAG_SECONDS = Gauge(
    "negatoscope_audit_lag_seconds",
    "Age of the oldest audit record that could be chained.",
    multiprocess_mode="mostrecent",
)
AUDIT_FINDINGS = Gauge(
    "negatoscope_audit_findings",
    "What the last verification of the audit trail found wrong.",
    multiprocess_mode="mostrecent",
)
AUDIT_SINK_WAITING = Gauge(
    "negatoscope_audit_sink_waiting",
    "Audit records a repository was not told yet.",
    ["sink"],
    multiprocess_mode="mostrecent",
)
AUDIT_SINK_FAILURES = Counter(
    "negatoscope_audit_sink_failures", "Attempts to reach a repository that failed.", ["sink"]
)
ASSOCIATIONS = Gauge(
    "negatoscope_associations", "Associations established now.", multiprocess_mode="livesum"
)
HALF_OPEN = Gauge(
    "negatoscope_half_open",
    "Connections that have not finished their A-ASSOCIATE-RQ.",
    multiprocess_mode="livesum",
)
VOLUME_FREE_BYTES = Gauge(
    "negatoscope_volume_free_bytes", "Free space.", ["volume"], multiprocess_mode="mostrecent"
)
OUTBOX_EVENTS = Gauge(
    "negatoscope_outbox_events", "Events not yet handed on.", multiprocess_mode="mostrecent"
)


@contextmanager
def timed(histogram: Histogram) -> Iterator[None]:
    """Observe how long a block takes, however it ends.

    Args:
        histogram: One of the above, with its labels already given (``X.labels(…)``, kept by
            the caller: looking the labels up costs more than the observation).
    """
    started = time.perf_counter()
    try:
        yield
    finally:
        histogram.observe(time.perf_counter() - started)


def render() -> tuple[bytes, str]:
    """All processes' metrics as text, and its media type."""
    if not os.environ.get(DIRECTORY_VARIABLE):
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST


def prepare(data_dir: Path, environment: MutableMapping[str, str]) -> Path:
    """Make an empty directory for the figures of the processes about to start.

    In memory if the system offers that (figures written to a disk would wait for it), else in
    the data directory.

    Args:
        data_dir: Names the directory, so that the next supervisor finds and empties it.
        environment: The children's; it is given the name.
    Returns: The directory.
    """
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    memory = Path("/dev/shm") / f"negatoscope-{os.getuid()}-{name}"  # noqa: S108 - made 0700, or refused
    for directory in (memory, data_dir / "metrics"):
        shutil.rmtree(directory, ignore_errors=True)
        try:
            directory.mkdir(mode=0o700)
        except OSError:
            continue  # somebody else's, or no such file system
        environment[DIRECTORY_VARIABLE] = str(directory)
        return directory
    environment.pop(DIRECTORY_VARIABLE, None)
    return data_dir / "metrics"


def discard(directory: Path) -> None:
    """Remove the shared directory; nobody records any more."""
    shutil.rmtree(directory, ignore_errors=True)


def forget_process(pid: int, directory: Path) -> None:
    """Take a dead process out of the gauges; what it counted stays."""
    if directory.is_dir():
        mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]
