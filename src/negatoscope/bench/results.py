"""What a benchmark measured, and how it is written down."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """Percentiles of the duration of one operation, milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, durations_s: Iterable[float]) -> Latencies:
        """From the single durations, in seconds; zeros when there is none."""
        ordered = sorted(durations_s) or [0.0]

        def percentile(share: float) -> float:
            return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 3)

        return cls(
            p50_ms=percentile(0.50),
            p95_ms=percentile(0.95),
            p99_ms=percentile(0.99),
            max_ms=round(ordered[-1] * 1000, 3),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One benchmark of one server.

    Attributes:
        name: of the benchmark: ``ingest``, ``query``, ``retrieve``, ``metadata``, ``frames``.
        target: the server's address.
        parameters: what was asked for.
        operations: that succeeded; for ``ingest`` the objects answered with success, hence durable.
        failures: operations that did not.
        byte_count: payload of the operations that succeeded.
        duration_s: wall clock, from the first request to the last answer.
        client_cpu_s: processor time of this side, which the server could not use.
    """

    name: str
    target: str
    parameters: dict[str, Any]
    operations: int
    failures: int
    byte_count: int
    duration_s: float
    latencies: Latencies
    client_cpu_s: float
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Operations per second."""
        return self.operations / self.duration_s if self.duration_s > 0 else 0.0

    @property
    def megabytes_per_second(self) -> float:
        """Payload, 10⁶ bytes per second."""
        return self.byte_count / 1e6 / self.duration_s if self.duration_s > 0 else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "target": self.target,
            "parameters": self.parameters,
            "operations": self.operations,
            "failures": self.failures,
            "byte_count": self.byte_count,
            "duration_s": round(self.duration_s, 4),
            "per_second": round(self.per_second, 2),
            "megabytes_per_second": round(self.megabytes_per_second, 2),
            "p50_ms": self.latencies.p50_ms,
            "p95_ms": self.latencies.p95_ms,
            "p99_ms": self.latencies.p99_ms,
            "max_ms": self.latencies.max_ms,
            "client_cpu_s": round(self.client_cpu_s, 3),
            **self.detail,
        }

    def line(self) -> str:
        """For people."""
        failed = f", {self.failures} failed" if self.failures else ""
        return (
            f"{self.name}: {self.operations} in {self.duration_s:.2f} s{failed}: "
            f"{self.per_second:.0f}/s, {self.megabytes_per_second:.0f} MB/s, "
            f"p50 {self.latencies.p50_ms:.1f} p95 {self.latencies.p95_ms:.1f} "
            f"p99 {self.latencies.p99_ms:.1f} ms, client CPU {self.client_cpu_s:.2f} s"
        )


def write_results(folder: Path, name: str, measurements: Iterable[Measurement]) -> Path:
    """Write ``<name>.json``.

    Returns: the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    document = {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "measurements": [measurement.as_dict() for measurement in measurements],
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
