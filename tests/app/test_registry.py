"""The registry behind the listener: a database that hangs costs one caller some patience, the others nothing."""

import threading
import time

import pytest

from negatoscope.app.registry import PatientRegistry
from negatoscope.domain.devices import ApplicationEntity
from negatoscope.infra.errors import DatabaseUnavailable


def test_an_answer_and_an_error_are_passed_on() -> None:
    """As if there were nobody between."""

    def find(ae_title: str) -> ApplicationEntity | None:
        if ae_title == "BROKEN":
            raise DatabaseUnavailable("gone")
        return None

    registry = PatientRegistry(find)
    assert registry.find("ANY") is None
    with pytest.raises(DatabaseUnavailable, match="gone"):
        registry.find("BROKEN")


def test_a_database_that_hangs() -> None:
    """The first waits its time, those after it none, and all is well when it answers again."""
    release = threading.Event()

    def find(_ae_title: str) -> None:
        release.wait(10)

    registry = PatientRegistry(find, patience_s=0.2)
    with pytest.raises(DatabaseUnavailable):
        registry.find("FIRST")
    started = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        registry.find("SECOND")
    assert time.monotonic() - started < 0.15
    release.set()
    while any(thread.name == "registry" for thread in threading.enumerate()):
        time.sleep(0.01)
    assert registry.find("THIRD") is None
