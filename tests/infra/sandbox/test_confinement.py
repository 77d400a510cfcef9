"""What a confined worker cannot do, and that it works where the kernel has no filter."""

import errno
import platform
from struct import iter_unpack

import pytest
import structlog.testing

from infra.sandbox import confined_work
from negatoscope.infra.sandbox import Sandbox, confinement, sandbox
from negatoscope.infra.sandbox.confinement import program

pytestmark = pytest.mark.skipif(
    platform.machine() not in {"x86_64", "aarch64"}, reason="no list for this processor"
)


@pytest.fixture(scope="module")
def confined():
    with Sandbox(
        entry="infra.sandbox.confined_work",
        processes=1,
        memory_bytes=128 << 20,
        cpu_s=5.0,
        wall_s=20.0,
        output_bytes=1 << 20,
    ) as made:
        yield made


@pytest.mark.parametrize("name", sorted(set(confined_work.FUNCTIONS) - {"a_thread"}))
def test_refused_by_the_kernel(confined, name):
    """Not permitted; the worker goes on."""
    assert confined.run(name, {})[0] == errno.EPERM
    assert confined.run("a_thread", {})[0] == 0


@pytest.mark.parametrize(("column", "architecture"), [(0, 0xC000003E), (1, 0xC00000B7)])
def test_the_program_is_well_formed(column, architecture):
    """Jumps stay inside, the last instruction returns, the architecture is judged first."""
    code = list(iter_unpack("HBBI", program(column, architecture, process_id=7)))
    assert len(code) < 4096
    assert code[0] == (0x20, 0, 0, 4)
    assert code[1][3] == architecture
    assert code[-1][0] == 0x06
    for at, (operation, if_true, if_false, _value) in enumerate(code):
        if operation & 0x07 == 0x05:
            assert at + 1 + max(if_true, if_false) < len(code)


def test_without_a_filter_work_goes_on_and_a_line_says_so(monkeypatch):
    """Where the kernel, or the processor, has none."""
    monkeypatch.setattr(confinement, "_ARCHITECTURES", {})
    assert "no list of system calls" in str(confinement.confine())
    sandbox._tell_unconfined.cache_clear()
    with structlog.testing.capture_logs() as lines:
        sandbox._tell_unconfined("the kernel refuses: it says so")
        sandbox._tell_unconfined("the kernel refuses: it says so")
    assert [line["log_level"] for line in lines] == ["warning"]
