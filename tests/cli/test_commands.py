"""The commands, as they are typed: really started, on a data directory of their own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from negatoscope.domain.devices import ae
from negatoscope.domain.identity import tokens, users
from negatoscope.infra.db import Database
from negatoscope.infra.db.embedded import EmbeddedPostgres
from negatoscope.subscribers import audit


class Commands:
    """Runs ``negatoscope`` on one database."""

    def __init__(self, *place: str) -> None:
        self._place = place

    def __call__(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "negatoscope", *arguments, *self._place],
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "NEGATOSCOPE_ALLOW_UNSAFE_DATABASE": "1"},
        )

    def ok(self, *arguments: str, text: str = "") -> str:
        result = self(*arguments, text=text)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def refused(self, *arguments: str, code: int, text: str = "") -> str:
        """One line, lower case, then a hint; nothing on standard output."""
        result = self(*arguments, text=text)
        assert result.returncode == code, result.stderr
        first, second = result.stderr.splitlines()
        assert first.startswith("error: ")
        assert second.startswith("HINT: ")
        assert result.stdout == ""
        return first


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Commands:
    """On a database that is there."""
    return Commands("--database-url", database_url, "--data-dir", str(tmp_path))


def test_application_entities(run: Commands, database: Database) -> None:
    """Added, listed, replaced, removed; each change in the trail."""
    assert run.ok("ae", "add", "CT1", "10.0.0.7:104", "--roles", "store,query") == (
        "CT1 at 10.0.0.7:104 may query, store\n"
    )
    found = ae.find(database, "CT1")
    assert found is not None
    assert (found.host, found.port, found.roles) == ("10.0.0.7", 104, {"store", "query"})
    run.refused("ae", "add", "CT1", "10.0.0.8:104", code=1)
    run.ok("ae", "add", "CT1", "10.0.0.8:104", "--roles", "none", "--tls", "--replace")
    lines = run.ok("ae", "list").splitlines()
    assert lines[0].split()[:2] == ["AE", "TITLE"]
    assert lines[1].split() == ["CT1", "10.0.0.8:104", "yes"]
    run.ok("ae", "remove", "CT1")
    run.refused("ae", "remove", "CT1", code=1)
    actions = [event.action for event in audit.search(database)]
    assert (actions.count("administer"), actions.count("command")) == (3, 6)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ae", "add", "CT1", "nowhere"], 2),
        (["ae", "add", "CT1", ":104"], 2),
        (["ae", "add", "SEVENTEEN_LETTERS", "h:104"], 1),
        (["ae", "add", "CT1", "h:104", "--roles", "rule"], 1),
        (["ae", "echo", "NOBODY"], 1),
        (["user", "add", "bob", "--role", "king"], 2),
        (["user", "add", "bob"], 2),
        (["user", "passwd", "bob", "--password", "four words and more"], 1),
        (["user", "passwd", "bob"], 2),
        (["token", "create", "--user", "bob"], 1),
        (["token", "create", "--user", "bob", "--expires", "soon"], 2),
        (["serve", "--http", "8080"], 2),
        (["serve", "--role", "king"], 2),
        (["nothing"], 2),
    ],
)
def test_what_cannot_be_done_is_said(run: Commands, arguments: list[str], code: int) -> None:
    """In one line and a hint."""
    run.refused(*arguments, code=code)


def test_a_peer_that_does_not_answer(run: Commands, free_port: int) -> None:
    """Is another exit code than an unknown one."""
    run.ok("ae", "add", "GONE", f"127.0.0.1:{free_port}")
    assert "GONE at 127.0.0.1" in run.refused("ae", "echo", "GONE", code=3)


def test_accounts_and_tokens(run: Commands, database: Database) -> None:
    """The password from standard input; the token is the last line printed."""
    run.ok(
        *("user", "add", "alice", "--role", "radiologist", "--role", "administrator"),
        "--password-stdin",
        text="four words and more\n",
    )
    assert users.authenticate(database, name="alice", password="four words and more") is not None
    run.refused("user", "add", "ALICE", "--role", "patient", code=1)
    weak = run("user", "passwd", "alice", "--password", "weak")
    assert weak.returncode == 0
    assert weak.stderr.startswith("warning: the password has fewer than")
    assert users.authenticate(database, name="alice", password="weak") is not None
    assert run.ok("user", "list").splitlines()[1].split()[:4] == [
        *("alice", "administrator,radiologist", "yes", "yes")
    ]
    token = run.ok("token", "create", "--user", "alice", "--expires", "12h").splitlines()[-1]
    actor = tokens.resolve(database, token)
    assert actor is not None
    assert actor.name == "alice"


def test_migrate(new_database_url: Callable[..., str], tmp_path: Path) -> None:
    """An empty database is brought to head; twice is once."""
    run = Commands("--database-url", new_database_url(empty=True), "--data-dir", str(tmp_path))
    assert run.ok("migrate").startswith("the schema went from revision none to ")
    assert run.ok("migrate").endswith("already\n")


def test_doctor_says_what_is_wrong(run: Commands) -> None:
    """Settings with their source; a check that fails has a hint; no password is shown."""
    result = run("doctor")
    assert result.returncode == 1  # the tests' server has fsync off
    assert "(command line)" in result.stdout
    assert "FAIL  database: the PostgreSQL server runs with f" in result.stdout
    assert "HINT: " in result.stdout
    shown = Commands("--database-url", "postgresql://u:secret@127.0.0.1:1/x")("doctor").stdout
    assert "secret" not in shown
    assert "postgresql://u:…@127.0.0.1:1/x" in shown


def test_no_database_is_its_own_exit_code(tmp_path: Path) -> None:
    """Scripts can tell "not now" from "no"."""
    nowhere = Commands(
        "--database-url", "postgresql://u@127.0.0.1:1/x", "--data-dir", str(tmp_path)
    )
    assert "does not answer" in nowhere.refused("user", "list", code=3)


def test_a_command_alone_has_its_own_server() -> None:
    """Started for it, stopped after it; what it wrote is there for the next one."""
    with tempfile.TemporaryDirectory(prefix="nsc-cli-", dir="/tmp") as directory:
        run = Commands("--data-dir", directory)
        run.ok("user", "add", "alice", "--role", "administrator")
        assert EmbeddedPostgres(Path(directory)).pid is None
        assert "alice" in run.ok("user", "list")
        assert EmbeddedPostgres(Path(directory)).pid is None


def test_every_command_takes_the_place_of_its_data() -> None:
    """And the list of commands does not load what they need."""
    listed = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "negatoscope", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "serve " in listed.stdout
    assert "psycopg" not in listed.stderr
    for arguments in (["serve"], ["ae", "add"], ["user", "add"], ["token", "create"], ["doctor"]):
        shown = Commands().ok(*arguments, "--help")
        assert "--data-dir" in shown
        assert "--database-url" in shown
