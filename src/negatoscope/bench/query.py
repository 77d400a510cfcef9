"""Study level queries, as a department asks them: a mix of exact and partial keys."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from negatoscope.bench.crew import Tally, run_crew
from negatoscope.bench.http import HttpConnection
from negatoscope.bench.results import Latencies, Measurement
from negatoscope.bench.sample import (
    DicomJson,
    KnownStudy,
    identifier,
    query_association,
    sample_studies,
    study_keys,
)
from negatoscope.bench.targets import DicomTarget, WebTarget
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.standard.sop_classes import STUDY_ROOT_FIND

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from negatoscope.protocols.dicom.dimse.association import Association

Ask = Callable[[dict[str, str]], int]
"""Asks one question: tag to value; gives the number of matches, or -1 for a failure."""

KINDS = ("patient", "accession", "study", "name", "day")


def matching(kind: str, study: KnownStudy) -> dict[str, str]:
    """Tag to value of one kind of question about a known study; empty when it cannot be asked.

    ``name`` is a family name with the first two letters of the given name and a wildcard; ``day``
    is everything of one modality on the day of the study.
    """
    match kind:
        case "patient" if study.patient_id:
            return {"00100020": study.patient_id}
        case "accession" if study.accession_number:
            return {"00080050": study.accession_number}
        case "study":
            return {"0020000D": study.study_instance_uid}
        case "name" if study.patient_name:
            family, _, given = study.patient_name.partition("^")
            return {"00100010": f"{family}^{given[:2]}*"}
        case "day" if study.study_date:
            keys = {"00080020": study.study_date}
            if study.modality:
                keys["00080061"] = study.modality
            return keys
        case _:
            return {}


def questions(studies: list[KnownStudy], seed: int) -> Iterator[tuple[str, dict[str, str]]]:
    """An endless mix of all kinds about random studies."""
    chance = random.Random(seed)
    while True:
        for kind in KINDS:
            asked = matching(kind, chance.choice(studies))
            if asked:
                yield kind, asked


def query(
    target: DicomTarget | WebTarget,
    *,
    clients: int,
    operations: int,
    sample: int = 500,
    studies: list[KnownStudy] | None = None,
) -> Measurement:
    """Ask ``operations`` questions over ``clients`` associations or connections.

    Args:
        studies: what to ask about; taken from the server when absent.
    """
    known = studies if studies is not None else sample_studies(target, sample)
    by_kind: dict[str, list[float]] = defaultdict(list)
    matches: dict[str, int] = defaultdict(int)
    each = max(1, operations // clients)

    def client(number: int) -> Callable[[Tally], None]:
        asked = questions(known, number)
        opened: AbstractContextManager[object]
        opened, ask = _find(target) if isinstance(target, DicomTarget) else _search(target)

        def work(tally: Tally) -> None:
            with opened:
                for _ in range(each):
                    kind, keys = next(asked)
                    begun = time.perf_counter()
                    count = ask(keys)
                    taken = time.perf_counter() - begun
                    if count < 0:
                        tally.failures += 1
                        continue
                    tally.durations_s.append(taken)
                    by_kind[kind].append(taken)
                    matches[kind] += count

        return work

    result = run_crew(clients, client)
    return Measurement(
        name="query",
        target=str(target),
        parameters={
            "clients": clients,
            "operations": each * clients,
            "sample": len(known),
            "protocol": "C-FIND" if isinstance(target, DicomTarget) else "QIDO-RS",
        },
        operations=len(result.durations_s),
        failures=result.failures,
        byte_count=0,
        duration_s=result.duration_s,
        latencies=Latencies.of(result.durations_s),
        client_cpu_s=result.client_cpu_s,
        detail={
            "by_kind": {
                kind: {
                    "count": len(durations),
                    "matches": round(matches[kind] / len(durations), 1),
                    "p50_ms": Latencies.of(durations).p50_ms,
                    "p95_ms": Latencies.of(durations).p95_ms,
                }
                for kind, durations in sorted(by_kind.items())
            }
        },
    )


def _find(target: DicomTarget) -> tuple[Association, Ask]:
    association = query_association(target, STUDY_ROOT_FIND)
    context = scu.scu_context(association, STUDY_ROOT_FIND)

    def ask(keys: dict[str, str]) -> int:
        wanted: DicomJson = study_keys(**{f"_{tag}": value for tag, value in keys.items()})
        count, status = -1, 0
        for answer in scu.find(association, context, identifier(wanted, context)):
            count += 1
            status = answer.status
        return count if status == 0 else -1

    return association, ask


def _search(target: WebTarget) -> tuple[HttpConnection, Ask]:
    connection = HttpConnection(target)

    def ask(keys: dict[str, str]) -> int:
        # Orthanc's plugin 1.7 does not decode these two, and every server takes them as they are.
        arguments = "&".join(f"{tag}={quote(value, safe='*^')}" for tag, value in keys.items())
        answer = connection.get(
            f"/studies?{arguments}&includefield=00081030&includefield=00201208",
            accept="application/dicom+json",
            keep=True,
        )
        if answer.status == 204:
            return 0
        return answer.body.count(b'"0020000D"') if answer.status == 200 else -1

    return connection, ask
