"""Work in killable processes: what hurts one call hurts no other."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from negatoscope.infra.sandbox import Sandbox, SandboxBusy, WorkFailed, WorkKilled, WorkRefused

ENTRY = "infra.sandbox.hostile_work"
MB = 1 << 20


def make(**changed):
    settings = {
        "entry": ENTRY,
        "processes": 2,
        "memory_bytes": 128 * MB,
        "cpu_s": 1.0,
        "wall_s": 3.0,
        "output_bytes": 8 * MB,
        "queue_s": 20.0,
    }
    return Sandbox(**(settings | changed))


@pytest.fixture(scope="module")
def sandbox():
    with make() as made:
        yield made


def test_arguments_and_bytes_travel_both_ways(sandbox):
    """JSON values as such, payload parts raw, empty ones too."""
    parts = (b"ab", b"", memoryview(b"x" * 3_000_000))
    value, data = sandbox.run("echo", {"a": [1, None, "é"]}, parts)
    assert (value, bytes(data)) == ({"a": [1, None, "é"]}, b"".join(parts))


def test_a_worker_is_used_again_and_leads_its_own_group(sandbox):
    """One process for call after call, which its group can be killed by."""
    first = sandbox.run("identity", {})[0]
    assert sandbox.run("identity", {})[0] == first
    assert first["group"] == first["pid"]
    assert first["group"] != os.getpgid(0)
    assert len(sandbox.run("open_descriptors", {})[0]) <= 7


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL"])
def test_a_crash_costs_one_call(sandbox, name):
    """The signal is told; the next call is answered by another worker."""
    with pytest.raises(WorkKilled, match=name):
        sandbox.run("crash", {"signal": name})
    assert sandbox.run("echo", {"a": 1})[0] == {"a": 1}


def test_memory_processor_time_and_output_are_limited(sandbox):
    """Each limit ends the call with its name."""
    with pytest.raises(WorkKilled, match="memory"):
        sandbox.run("eat", {"bytes": 512 * MB})
    with pytest.raises(WorkKilled, match="wall clock"):
        sandbox.run("sleep", {"s": 30}, wall_s=0.3)
    with pytest.raises(WorkKilled, match="output"):
        sandbox.run("flood", {"bytes": 9 * MB})
    with pytest.raises(WorkKilled, match="processor"):
        sandbox.run("spin", {}, wall_s=20)
    assert sandbox.run("eat", {"bytes": 8 * MB})[0] == 8 * MB


def test_refusals_and_mistakes_leave_the_worker_alive(sandbox):
    """An exception with a code is a refusal, any other is a failure; the worker goes on."""
    before = sandbox.run("identity", {})[0]
    with pytest.raises(WorkRefused, match="for a reason") as caught:
        sandbox.run("refuse", {})
    assert caught.value.code == "not-wanted"
    with pytest.raises(WorkFailed, match="ZeroDivisionError"):
        sandbox.run("fail", {})
    assert sandbox.run("identity", {})[0] == before


def test_a_worker_writes_no_file(sandbox, tmp_path):
    """RLIMIT_FSIZE is zero."""
    target = tmp_path / "file"
    with pytest.raises((WorkFailed, WorkKilled)):
        sandbox.run("write", {"path": str(target)})
    assert not target.exists() or not target.stat().st_size


def test_who_spins_delays_nobody_else():
    """While one worker spins the other answers."""
    with make() as sandbox:
        sandbox.run("echo", {})
        thread = threading.Thread(target=_sleep_until_killed, args=(sandbox,))
        thread.start()
        time.sleep(0.1)
        sandbox.run("echo", {})
        started = time.monotonic()
        for _ in range(20):
            sandbox.run("echo", {})
        assert time.monotonic() - started < 1.0
        thread.join()


def test_who_waits_too_long_is_told():
    """No free worker within the limit."""
    with make(processes=1, queue_s=0.2) as sandbox:
        sandbox.run("echo", {})
        thread = threading.Thread(target=lambda: sandbox.run("sleep", {"s": 1}))
        thread.start()
        time.sleep(0.2)
        with pytest.raises(SandboxBusy):
            sandbox.run("echo", {})
        thread.join()
        assert sandbox.run("echo", {"a": 2})[0] == {"a": 2}


def test_workers_die_with_their_parent():
    """Also while they compute: the kernel tells them."""
    program = (
        "import sys, threading, time\n"
        "from negatoscope.infra.sandbox import Sandbox\n"
        f"s = Sandbox(entry={ENTRY!r}, processes=1, memory_bytes=1<<28, cpu_s=60, wall_s=60, output_bytes=1000)\n"
        "print(s.run('identity', {})[0]['pid'], flush=True)\n"
        "s.run('spin', {})\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    worker = int(parent.stdout.readline())
    time.sleep(0.2)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline and _runs(worker):
        time.sleep(0.02)
    assert not _runs(worker)


def _sleep_until_killed(sandbox):
    with pytest.raises(WorkKilled):
        sandbox.run("sleep", {"s": 30})


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ")[1][0] != "Z"
    except OSError:
        return False
