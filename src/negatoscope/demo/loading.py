"""Loading the demonstration department into an archive, by the door that every object takes."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from negatoscope.demo.department import demo_objects
from negatoscope.demo.people import PATIENTS
from negatoscope.domain.archive import OutcomeKind, Source, SourceKind

if TYPE_CHECKING:
    from threading import Event

    from negatoscope.domain.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSummary:
    """What loading did.

    Attributes:
        patients: patients of the department, all of them loaded unless loading was stopped.
        stored: objects that were new; the others were in the archive already.
        byte_count: of all the DICOM files offered, new or not.
    """

    patients: int
    studies: int
    series: int
    instances: int
    stored: int
    byte_count: int
    duration_s: float


def load_demo(archive: Archive, *, stop: Event | None = None) -> DemoSummary:
    """Generate the department and store it; what is there already stays as it is.

    Args:
        stop: when set, loading ends after the current object.
    Raises: IngestError: an object was refused (the volume is full, the database is gone).
    """
    started = time.monotonic()
    studies: set[str] = set()
    series: set[str] = set()
    outcomes: Counter[OutcomeKind] = Counter()
    byte_count = 0
    with archive.open_session(Source(kind=SourceKind.INTERNAL, actor_name="demo")) as session:
        for content in demo_objects():
            if stop is not None and stop.is_set():
                break
            ingest = session.begin_part10()
            ingest.write(content)
            outcome = ingest.commit()
            outcomes[outcome.kind] += 1
            studies.add(outcome.study_instance_uid)
            series.add(outcome.series_instance_uid)
            byte_count += len(content)
    return DemoSummary(
        patients=len(PATIENTS),
        studies=len(studies),
        series=len(series),
        instances=outcomes.total(),
        stored=outcomes[OutcomeKind.STORED],
        byte_count=byte_count,
        duration_s=time.monotonic() - started,
    )
