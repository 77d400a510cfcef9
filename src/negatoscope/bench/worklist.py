"""Modality worklists as devices ask for them: their own of today, one patient's, one accession number's."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from negatoscope.bench.crew import Tally, run_crew
from negatoscope.bench.results import Latencies, Measurement
from negatoscope.bench.sample import DicomJson, identifier, query_association
from negatoscope.protocols.dicom import dataset
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.standard.sop_classes import MODALITY_WORKLIST_FIND
from negatoscope.standard.tags import vr_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from negatoscope.bench.targets import DicomTarget
    from negatoscope.protocols.dicom.dimse.association import AcceptedContext, Association

KINDS = ("device", "modality", "patient", "accession", "name")
_PATIENT = ("00100010", "00100020", "00100030", "00100040", "00100021", "00101002", "00102110")
_REQUEST = ("0020000D", "00080050", "00080090", "00321032", "00321060", "00401001", "00401003")
_STEP = ("00080060", "00400001", "00400002", "00400003", "00400006", "00400007", "00400009")


def keys(**matched: str) -> DicomJson:
    """An identifier as devices send it: usual return keys, and values for some of them."""
    found: DicomJson = {tag: {"vr": _vr(tag)} for tag in (*_PATIENT, *_REQUEST)}
    step: DicomJson = {tag: {"vr": _vr(tag)} for tag in _STEP}
    for name, value in matched.items():
        tag = name.removeprefix("_")
        where = step if tag in step else found
        where[tag] = {
            "vr": _vr(tag),
            "Value": [{"Alphabetic": value} if tag == "00100010" else value],
        }
    found["00400100"] = {"vr": "SQ", "Value": [step]}
    return dict(sorted(found.items()))


def worklist(target: DicomTarget, *, clients: int, operations: int, per_s: float) -> Measurement:
    """Ask ``operations`` questions over ``clients`` associations, so many in a second together.

    What to ask about is taken from today's worklist first.
    """
    by_kind: dict[str, list[float]] = defaultdict(list)
    matches: dict[str, int] = defaultdict(int)
    each = max(1, operations // clients)
    known = _known(target)
    pause_s = clients / per_s

    def client(number: int) -> Callable[[Tally], None]:
        association = query_association(target, MODALITY_WORKLIST_FIND)
        context = scu.scu_context(association, MODALITY_WORKLIST_FIND)
        asked = _questions(known, number)

        def work(tally: Tally) -> None:
            with association:
                for _ in range(each):
                    kind, wanted = next(asked)
                    begun = time.perf_counter()
                    count = _ask(association, context, wanted)
                    taken = time.perf_counter() - begun
                    if count < 0:
                        tally.failures += 1
                    else:
                        tally.durations_s.append(taken)
                        by_kind[kind].append(taken)
                        matches[kind] += count
                    time.sleep(max(0.0, pause_s - taken))

        return work

    result = run_crew(clients, client)
    return Measurement(
        name="worklist",
        target=str(target),
        parameters={"clients": clients, "operations": each * clients, "per_s": per_s},
        operations=len(result.durations_s),
        failures=result.failures,
        byte_count=0,
        duration_s=result.duration_s,
        latencies=Latencies.of(result.durations_s),
        client_cpu_s=result.client_cpu_s,
        detail={
            "today": len(known),
            "by_kind": {
                kind: {
                    "count": len(durations),
                    "matches": round(matches[kind] / len(durations), 1),
                    "p50_ms": Latencies.of(durations).p50_ms,
                    "p95_ms": Latencies.of(durations).p95_ms,
                }
                for kind, durations in sorted(by_kind.items())
            },
        },
    )


def _known(target: DicomTarget) -> list[dict[str, str]]:
    """What there is today."""
    with query_association(target, MODALITY_WORKLIST_FIND) as association:
        context = scu.scu_context(association, MODALITY_WORKLIST_FIND)
        found = []
        for answer in scu.find(association, context, identifier(keys(_00400002=_today()), context)):
            if answer.data_set is None:
                continue
            item = dataset.decode(answer.data_set, context.transfer_syntax)
            step = item["00400100"]["Value"][0]
            found.append(
                {
                    "name": _name(item),
                    "patient": str(_first(item, "00100020")),
                    "accession": str(_first(item, "00080050")),
                    "device": str(_first(step, "00400001")),
                    "modality": str(_first(step, "00080060")),
                }
            )
    if not found:
        raise ValueError("there is nothing on the worklist today")
    return found


def _questions(known: list[dict[str, str]], seed: int) -> Iterator[tuple[str, DicomJson]]:
    chance = random.Random(seed)
    while True:
        for kind in KINDS:
            one = chance.choice(known)
            today = {"_00400002": _today()}
            match kind:
                case "device":
                    yield kind, keys(_00400001=one["device"], **today)
                case "modality":
                    yield kind, keys(_00080060=one["modality"], **today)
                case "patient":
                    yield kind, keys(_00100020=one["patient"])
                case "accession":
                    yield kind, keys(_00080050=one["accession"])
                case _:
                    yield kind, keys(_00100010=f"{one['name'][:6]}*", **today)


def _ask(association: Association, context: AcceptedContext, wanted: DicomJson) -> int:
    count, status = -1, 0
    for answer in scu.find(association, context, identifier(wanted, context)):
        count += 1
        status = answer.status
    return count if status == 0 else -1


def _first(data_set: DicomJson, tag: str) -> object:
    return next(iter(data_set.get(tag, {}).get("Value", ())), "")


def _name(data_set: DicomJson) -> str:
    value = _first(data_set, "00100010")
    return str(value.get("Alphabetic") or "") if isinstance(value, dict) else ""


def _today() -> str:
    return f"{datetime.now(UTC):%Y%m%d}"


def _vr(tag: str) -> str:
    return vr_for(int(tag, 16))
