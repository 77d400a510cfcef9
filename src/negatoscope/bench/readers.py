"""A department at work: many readers who each open the list, a study, and look through its images.

And the list alone, asked as people type, of however many studies the server holds.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from negatoscope.bench.crew import Tally, run_crew
from negatoscope.bench.http import HttpConnection
from negatoscope.bench.results import Latencies, Measurement
from negatoscope.bench.sample import series_instances
from negatoscope.bench.web import FRAME_ACCEPT, frame_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from negatoscope.bench.targets import WebTarget

FRAMES = 50
THINK_S = 1.0
LIST_ROWS = 100
API = "/api/v1"


def readers(
    target: WebTarget,
    *,
    studies: Sequence[str],
    clients: int = 200,
    frames: int = FRAMES,
    think_s: float = THINK_S,
    rounds: int = 1,
) -> Measurement:
    """Each reader: the list, a study's metadata, its frames one after the other; then the next.

    Args:
        target: DICOMweb of a server of ours; the list is asked beside it.
        studies: Study Instance UIDs to choose from.
        clients: Readers.
        frames: Of one study, the first again when it has fewer.
        think_s: Between two steps; readers do not begin at the same instant either.
        rounds: Studies each reader opens.
    """
    opened = {study: series_instances(target, study) for study in studies}
    by_kind: dict[str, list[float]] = defaultdict(list)
    errors: dict[str, int] = defaultdict(int)

    def reader(number: int) -> Callable[[Tally], None]:
        chance = random.Random(number)
        web = HttpConnection(target)
        api = HttpConnection(replace(target, base=API))

        def step(
            kind: str, tally: Tally, connection: HttpConnection, path: str, accept: str
        ) -> None:
            begun = time.perf_counter()
            answer = connection.get(path, accept=accept)
            if answer.status != 200:
                tally.failures += 1
                errors[f"{kind} {answer.status}"] += 1
                return
            taken = time.perf_counter() - begun
            tally.durations_s.append(taken)
            tally.byte_count += answer.byte_count
            by_kind[kind].append(taken)

        def work(tally: Tally) -> None:
            time.sleep(chance.random() * think_s)
            with web, api:
                for _ in range(rounds):
                    step("list", tally, api, f"/studies?limit={LIST_ROWS}", "application/json")
                    time.sleep(think_s)
                    study = chance.choice(studies)
                    instances = opened[study]
                    for series in dict.fromkeys(one for one, _ in instances):
                        path = f"/studies/{study}/series/{series}/metadata"
                        step("metadata", tally, web, path, "application/dicom+json")
                    paths = frame_paths(study, instances)
                    begin = chance.randrange(len(paths))
                    for at in range(frames):
                        path = paths[(begin + at) % len(paths)]
                        step("frame", tally, web, path, FRAME_ACCEPT)
                    time.sleep(think_s)

        return work

    result = run_crew(clients, reader)
    return Measurement(
        name="readers",
        target=str(target),
        parameters={"clients": clients, "frames": frames, "think_s": think_s, "rounds": rounds},
        operations=len(result.durations_s),
        failures=result.failures,
        byte_count=result.byte_count,
        duration_s=result.duration_s,
        latencies=Latencies.of(result.durations_s),
        client_cpu_s=result.client_cpu_s,
        detail={"by_kind": _by_kind(by_kind), "errors": dict(errors)},
    )


def listing(
    target: WebTarget, *, operations: int = 500, clients: int = 1, seed: int = 7
) -> Measurement:
    """Ask for pages of the list as people do: letters of names, words, numbers, days, modalities."""
    by_kind: dict[str, list[float]] = defaultdict(list)
    api = replace(target, base=API)
    with HttpConnection(api) as connection:
        known = _known(connection)

    def client(number: int) -> Callable[[Tally], None]:
        asked = _questions(known, seed + number)
        connection = HttpConnection(api)

        def work(tally: Tally) -> None:
            with connection:
                for _ in range(max(1, operations // clients)):
                    kind, query = next(asked)
                    begun = time.perf_counter()
                    answer = connection.get(
                        f"/studies?limit={LIST_ROWS}&{query}", accept="application/json"
                    )
                    taken = time.perf_counter() - begun
                    if answer.status != 200:
                        tally.failures += 1
                        continue
                    tally.durations_s.append(taken)
                    tally.byte_count += answer.byte_count
                    by_kind[kind].append(taken)

        return work

    result = run_crew(clients, client)
    return Measurement(
        name="list",
        target=str(api),
        parameters={"clients": clients, "operations": operations, "rows": LIST_ROWS},
        operations=len(result.durations_s),
        failures=result.failures,
        byte_count=result.byte_count,
        duration_s=result.duration_s,
        latencies=Latencies.of(result.durations_s),
        client_cpu_s=result.client_cpu_s,
        detail={"by_kind": _by_kind(by_kind)},
    )


def _known(connection: HttpConnection) -> list[dict[str, Any]]:
    """Some studies of the list, the newest and the oldest, first and last names."""
    found: list[dict[str, Any]] = []
    for order in ("newest", "oldest", "name", "-name"):
        answer = connection.get(
            f"/studies?limit=200&order={order}", accept="application/json", keep=True
        )
        found += orjson.loads(answer.body)["studies"] if answer.status == 200 else []
    return found


def _questions(known: list[dict[str, Any]], seed: int) -> Iterator[tuple[str, str]]:
    """An endless mix of all kinds."""
    chance = random.Random(seed)
    while known:
        one = chance.choice(known)
        family = str(one["patient_name"] or "x").split("^")[0]
        given = str(one["patient_name"] or "").partition("^")[2].split("^")[0]
        words = str(one["study_description"] or "x").split()
        modality = (one["modalities_in_study"] or ["OT"])[0]
        day = str(one["study_date"] or "2020-01-01")
        yield "everything", "order=" + chance.choice(["newest", "oldest", "name", "received"])
        yield "letters", f"text={quote(family[: chance.randint(1, 3)])}"
        yield "name", f"text={quote(family)}"
        yield "name and given name", f"text={quote(f'{family} {given[:2]}')}"
        yield "name and word", f"text={quote(f'{family} {words[-1]}')}"
        yield "word", f"text={quote(chance.choice(words))}"
        yield "identifier", f"text={quote(str(one['patient_id'] or 'x'))}"
        yield "accession number", f"accession_number={quote(str(one['accession_number'] or 'x'))}"
        yield "modality", f"modality={quote(modality)}"
        yield "modality and day", f"modality={quote(modality)}&first={day}&last={day}"
        yield "name by name", f"text={quote(family)}&order=name"
        yield "nothing", "text=zzqqxx"


def _by_kind(by_kind: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    return {
        kind: {
            "count": len(durations),
            "p50_ms": Latencies.of(durations).p50_ms,
            "p95_ms": Latencies.of(durations).p95_ms,
            "max_ms": Latencies.of(durations).max_ms,
        }
        for kind, durations in sorted(by_kind.items())
    }
