"""Figures of several processes in one text, at little cost."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from negatoscope.infra import metrics

COUNT = """
from negatoscope.infra import metrics
metrics.OBJECTS.labels("DIMSE", "STORED").inc(3)
metrics.FSYNC_SECONDS.observe(0.004)
metrics.ASSOCIATIONS.set(2)
"""
SHOW = "from negatoscope.infra import metrics; print(metrics.render()[0].decode())"


def run(program: str, environment: dict[str, str]) -> tuple[int, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
    )
    output, _ = process.communicate()
    assert process.returncode == 0
    return process.pid, output


def test_processes_are_added_up(tmp_path: Path) -> None:
    """Counters and histograms stay when a process dies; its gauges go."""
    environment = dict(os.environ)
    directory = metrics.prepare(tmp_path, environment)
    assert directory.stat().st_mode & 0o077 == 0
    pids = [run(COUNT, environment)[0] for _ in range(2)]
    _, text = run(SHOW, environment)
    assert 'negatoscope_objects_total{door="DIMSE",outcome="STORED"} 6.0' in text
    assert "negatoscope_fsync_seconds_count 2.0" in text
    assert "negatoscope_associations 4.0" in text
    for pid in pids:
        metrics.forget_process(pid, directory)
    _, text = run(SHOW, environment)
    assert 'negatoscope_objects_total{door="DIMSE",outcome="STORED"} 6.0' in text
    assert "negatoscope_associations 4.0" not in text
    again = metrics.prepare(tmp_path, environment)
    assert again == directory
    assert list(again.iterdir()) == []


def test_recording_is_cheap() -> None:
    """A storing association records half a dozen figures per object."""
    observe = metrics.FSYNC_SECONDS.observe
    started = time.perf_counter()
    for _ in range(2000):
        observe(0.001)
    assert (
        time.perf_counter() - started
    ) / 2000 < 50e-6  # about 1 µs; the bound is for busy machines


def slow_and_wrong() -> None:
    time.sleep(0.01)
    raise ZeroDivisionError


def test_a_block_is_timed_however_it_ends() -> None:
    """Failures take time too."""
    before = metrics.INDEX_COMMIT_SECONDS._sum.get()
    with pytest.raises(ZeroDivisionError), metrics.timed(metrics.INDEX_COMMIT_SECONDS):
        slow_and_wrong()
    assert metrics.INDEX_COMMIT_SECONDS._sum.get() - before >= 0.01
