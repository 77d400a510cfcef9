"""Reading by DICOMweb: metadata of a series, single frames."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from negatoscope.bench.crew import Tally, run_crew
from negatoscope.bench.http import Answer, HttpConnection
from negatoscope.bench.results import Latencies, Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from negatoscope.bench.targets import WebTarget

FRAME_ACCEPT = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
RENDITIONS = {
    "htj2k": (
        "",
        'multipart/related; type="image/jphc"; transfer-syntax=1.2.840.10008.1.2.4.202',
    ),
    "jpeg": ("/rendered", "image/jpeg"),
}
"""What is added to a frame's path, and the media type, of each kind of rendition."""
RESULT_MARK = "NEGATOSCOPE-BENCH"


def metadata(
    target: WebTarget, *, study: str, series: str, repeats: int, clients: int = 1
) -> Measurement:
    """Fetch the metadata of one series again and again, each answer read to its end."""

    def client(_number: int) -> Callable[[Tally], None]:
        connection = HttpConnection(target)

        def work(tally: Tally) -> None:
            with connection:
                for _ in range(max(1, repeats // clients)):
                    begun = time.perf_counter()
                    reply = connection.get(
                        f"/studies/{study}/series/{series}/metadata",
                        accept="application/dicom+json",
                    )
                    _count(tally, reply, begun)

        return work

    result = run_crew(clients, client)
    return Measurement(
        name="metadata",
        target=str(target),
        parameters={"clients": clients, "repeats": repeats},
        operations=len(result.durations_s),
        failures=result.failures,
        byte_count=result.byte_count,
        duration_s=result.duration_s,
        latencies=Latencies.of(result.durations_s),
        client_cpu_s=result.client_cpu_s,
    )


def _count(tally: Tally, reply: Answer, begun: float) -> None:
    if reply.status == 200:
        tally.durations_s.append(time.perf_counter() - begun)
        tally.byte_count += reply.byte_count
    else:
        tally.failures += 1


def frame_paths(study: str, instances: Sequence[tuple[str, str]]) -> list[str]:
    """Paths of the first frame of each (series, SOP instance), below the service's base."""
    return [
        f"/studies/{study}/series/{series}/instances/{instance}/frames/1"
        for series, instance in instances
    ]


def frames(
    target: WebTarget,
    *,
    paths: Sequence[str],
    clients: int,
    seconds: float,
    accept: str = FRAME_ACCEPT,
) -> Measurement:
    """Fetch frames in random order over kept-alive connections."""

    def client(number: int) -> Callable[[Tally], None]:
        connection = HttpConnection(target)
        requests = [connection.request_bytes("GET", path, accept=accept) for path in paths]
        chance = random.Random(number)

        def work(tally: Tally) -> None:
            until = time.perf_counter() + seconds
            with connection:
                while (begun := time.perf_counter()) < until:
                    _count(tally, connection.exchange((chance.choice(requests),)), begun)

        return work

    result = run_crew(clients, client)
    return Measurement(
        name="frames",
        target=str(target),
        parameters={"clients": clients, "seconds": seconds, "frames": len(paths)},
        operations=len(result.durations_s),
        failures=result.failures,
        byte_count=result.byte_count,
        duration_s=result.duration_s,
        latencies=Latencies.of(result.durations_s),
        client_cpu_s=result.client_cpu_s,
    )


def renditions(target: WebTarget, *, paths: Sequence[str], kind: str, clients: int) -> Measurement:
    """Have each frame rendered once, the frames divided among kept-alive connections.

    Args:
        target: The service.
        paths: Of frames.
        kind: A key of ``RENDITIONS``.
        clients: Connections.
    """
    suffix, accept = RENDITIONS[kind]

    def client(number: int) -> Callable[[Tally], None]:
        connection = HttpConnection(target)
        requests = [
            connection.request_bytes("GET", path + suffix, accept=accept)
            for path in paths[number::clients]
        ]

        def work(tally: Tally) -> None:
            with connection:
                for request in requests:
                    begun = time.perf_counter()
                    _count(tally, connection.exchange((request,)), begun)

        return work

    result = run_crew(clients, client)
    return Measurement(
        name=f"renditions-{kind}",
        target=str(target),
        parameters={"clients": clients, "frames": len(paths)},
        operations=len(result.durations_s),
        failures=result.failures,
        byte_count=result.byte_count,
        duration_s=result.duration_s,
        latencies=Latencies.of(result.durations_s),
        client_cpu_s=result.client_cpu_s,
    )


def frames_with_wrk(
    target: WebTarget,
    *,
    paths: Sequence[str],
    clients: int,
    seconds: int,
    accept: str = FRAME_ACCEPT,
) -> Measurement | None:
    """The same with ``wrk``, one thread; None when it is not installed."""
    program = shutil.which("wrk")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "frames.lua"
        script.write_text(_lua(target, paths, accept), encoding="utf-8")
        arguments = [program, "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s"]
        url = f"http://{target.host}:{target.port}/"
        output = subprocess.run(
            [*arguments, "-s", str(script), url], capture_output=True, text=True, check=True
        ).stdout
    return _read_wrk(output, target, clients=clients, seconds=seconds, frames=len(paths))


def _lua(target: WebTarget, paths: Sequence[str], accept: str) -> str:
    lines = ["local paths = {"]
    lines += [f'  "{target.base}{path}",' for path in paths]
    lines += ["}", f"local headers = {{ ['Accept'] = '{accept}' }}"]
    if target.token:
        lines.append(f"headers['Authorization'] = 'Bearer {target.token}'")
    lines += [
        "math.randomseed(7)",
        "function request()",
        '  return wrk.format("GET", paths[math.random(#paths)], headers)',
        "end",
        "function done(summary, latency, requests)",
        "  local errors = summary.errors.status + summary.errors.timeout",
        f"  io.write(string.format('{RESULT_MARK} %d %d %d %d %d %d %d %d\\n', summary.duration,",
        "    summary.requests, summary.bytes, errors, latency:percentile(50),",
        "    latency:percentile(95), latency:percentile(99), latency.max))",
        "end",
    ]
    return "\n".join(lines) + "\n"


def _read_wrk(
    output: str, target: WebTarget, *, clients: int, seconds: int, frames: int
) -> Measurement:
    values = output[output.index(RESULT_MARK) + len(RESULT_MARK) :].split()
    duration_us, requests, byte_count, failures, p50, p95, p99, worst = map(float, values[:8])
    return Measurement(
        name="frames-wrk",
        target=str(target),
        parameters={"clients": clients, "seconds": seconds, "frames": frames},
        operations=int(requests - failures),
        failures=int(failures),
        byte_count=int(byte_count),
        duration_s=duration_us / 1e6,
        latencies=Latencies(
            p50_ms=p50 / 1000, p95_ms=p95 / 1000, p99_ms=p99 / 1000, max_ms=worst / 1000
        ),
        client_cpu_s=0.0,
    )
