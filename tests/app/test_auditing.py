"""The worker's chores of the audit trail, as the settings make them."""

import socket
import threading
import time
from pathlib import Path

import pytest

from negatoscope.app.auditing import anchor_files, audit_chores
from negatoscope.domain.identity import Actor
from negatoscope.infra.db import Database
from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.settings import Settings
from negatoscope.subscribers import audit
from negatoscope.subscribers.audit import verification
from negatoscope.subscribers.audit.state import state


def test_the_chores_do_everything(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed, anchored in each file, verified, told to the repository that the environment names."""
    with socket.create_server(("127.0.0.1", 0)) as repository:
        port = repository.getsockname()[1]
        monkeypatch.setenv(
            "NEGATOSCOPE_AUDIT__SINKS",
            f'[{{"name":"siem","host":"127.0.0.1","port":{port},"transport":"tcp"}}]',
        )
        monkeypatch.setenv("NEGATOSCOPE_AUDIT__ANCHOR_FILES", f'["{tmp_path}/elsewhere.jsonl"]')
        settings = Settings.load(data_dir=str(tmp_path / "data"))
        chores = {chore.name: chore for chore in audit_chores(settings, database)}
        audit.record(
            database, actor=Actor(kind="user", name="alice"), action="view", patient_id="P1"
        )
        stop = threading.Event()
        for name in ("audit seal", "audit anchor", "audit measure", "audit retention"):
            chores[name].run(stop)
        for _ in range(2):
            chores["audit verify"].run(stop)
        telling = threading.Thread(target=chores["audit repository siem"].run, args=(stop,))
        telling.start()
        connection, _ = repository.accept()
        with connection:
            connection.settimeout(10)
            assert b"DICOM+RFC3881" in connection.recv(65536)
            deadline_s = time.monotonic() + 20
            while state(database).sinks[0].sent_count == 0 and time.monotonic() < deadline_s:
                time.sleep(0.1)
        stop.set()
        telling.join(10)
    assert state(database).sinks[0].sent_count == 1
    lines = [path.read_text().splitlines() for path in anchor_files(settings)]
    assert [len(one) for one in lines] == [1, 1]
    assert lines[0] == lines[1]
    assert verification.last(database)[0].findings == []
    assert {event.action for event in audit.search(database)} == {
        "view",
        "audit verify",
        "audit anchor",
    }
    audit_chores(
        settings.model_copy(update={"audit": settings.audit.model_copy(update={"sinks": ()})}),
        database,
    )
    assert state(database).sinks == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUDIT__ACCESS_RETENTION_DAYS", "30"),
        ("AUDIT__SINKS", '[{"name":"a","host":"h"},{"name":"a","host":"h"}]'),
        ("AUDIT__SINKS", '[{"name":"a","host":"h","key":"/k"}]'),
        ("AUDIT__SINKS", '[{"name":"a b","host":"h"}]'),
        ("AUDIT__SINKS", '[{"name":"a","host":"h","transport":"pigeon"}]'),
    ],
)
def test_settings_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    """Said at the start, with the setting's name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"NEGATOSCOPE_{name}", value)
    with pytest.raises(ConfigurationError, match="audit"):
        Settings.load()
