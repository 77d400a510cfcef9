"""Accounts, passwords, tokens and the first link."""

import threading
from datetime import timedelta

import pytest

from negatoscope.domain.identity import setup, tokens, users
from negatoscope.domain.identity.errors import (
    SetupLinkRefused,
    UnknownRole,
    UnknownUser,
    UserExists,
    WeakPassword,
)
from negatoscope.infra.db import Database

PASSWORD = "four words and more"


@pytest.fixture
def alice(database: Database) -> None:
    users.create(database, name="Alice", roles=["radiologist", "physicist"], password=PASSWORD)


@pytest.mark.usefixtures("alice")
def test_a_password_opens_one_account(database: Database) -> None:
    """Whatever the case of the name; never with another password."""
    actor = users.authenticate(database, name="ALICE", password=PASSWORD)
    assert actor is not None
    assert (actor.kind, actor.name, actor.roles) == ("user", "Alice", {"radiologist", "physicist"})
    assert users.authenticate(database, name="alice", password=PASSWORD + "!") is None
    assert users.authenticate(database, name="bob", password=PASSWORD) is None
    assert users.get(database, "alice").last_sign_in_at is not None


@pytest.mark.usefixtures("alice")
def test_the_password_is_stored_as_argon2id(database: Database) -> None:
    """And nowhere else."""
    with database.connection() as connection:
        row = connection.execute("SELECT password_hash FROM user_account").fetchone()
    assert row is not None
    assert row[0].startswith("$argon2id$")


@pytest.mark.usefixtures("alice")
def test_a_new_password_replaces_the_old(database: Database) -> None:
    """At once."""
    users.set_password(database, name="alice", password="another four words")
    assert users.authenticate(database, name="alice", password=PASSWORD) is None
    assert users.authenticate(database, name="alice", password="another four words") is not None
    with pytest.raises(UnknownUser):
        users.set_password(database, name="bob", password=PASSWORD)


@pytest.mark.usefixtures("alice")
def test_names_are_unique_and_roles_are_known(database: Database) -> None:
    """Whatever the case."""
    with pytest.raises(UserExists):
        users.create(database, name="aLICE", roles=["patient"])
    with pytest.raises(UnknownRole):
        users.create(database, name="bob", roles=["king"])
    with pytest.raises(UnknownRole):
        users.create(database, name="bob", roles=[])
    assert [user.name for user in users.list_users(database)] == ["Alice"]


def test_an_account_without_password_cannot_sign_in(database: Database) -> None:
    """Not even with an empty one."""
    users.create(database, name="robot", roles=["technologist"])
    assert users.authenticate(database, name="robot", password="") is None


def test_weak_passwords() -> None:
    """Short ones, and the name itself."""
    for name, password in (("alice", "short"), ("alice.the.first", "Alice.The.First")):
        with pytest.raises(WeakPassword):
            users.check_password(name, password)


@pytest.mark.usefixtures("alice")
def test_a_token_is_its_user_until_it_ends(database: Database) -> None:
    """Expired, revoked, unknown and malformed ones are nobody."""
    token = tokens.create(database, user_name="alice", expires_in=timedelta(days=1))
    actor = tokens.resolve(database, token)
    assert actor is not None
    assert actor.name == "Alice"
    expired = tokens.create(database, user_name="alice", expires_in=timedelta(seconds=-1))
    for bearer in (expired, token[:-1], token + "x", "", "nsc_", "x" * 5000, "nsc_\udc80"):
        assert tokens.resolve(database, bearer) is None
    assert tokens.revoke(database, token)
    assert not tokens.revoke(database, token)
    assert tokens.resolve(database, token) is None


@pytest.mark.usefixtures("alice")
def test_a_token_is_stored_as_its_digest(database: Database) -> None:
    """The database does not give tokens away."""
    token = tokens.create(database, user_name="alice", expires_in=timedelta(days=1))
    with database.connection() as connection:
        row = connection.execute("SELECT t.*, length(sha256) FROM api_token t").fetchone()
    assert row is not None
    assert token not in str(row)
    assert row[-1] == 32


@pytest.mark.usefixtures("alice")
def test_answers_are_kept_for_a_few_seconds(database: Database, monkeypatch) -> None:
    """A token revoked behind our back is honoured for at most ``CACHE_S``."""
    token = tokens.create(database, user_name="alice", expires_in=timedelta(days=1))
    assert tokens.resolve(database, token) is not None
    with database.connection() as connection:
        connection.execute("UPDATE api_token SET revoked_at = now()")
    assert tokens.resolve(database, token) is not None
    now_s = tokens.time.monotonic()
    monkeypatch.setattr(tokens.time, "monotonic", lambda: now_s + tokens.CACHE_S + 0.1)
    assert tokens.resolve(database, token) is None


def test_the_first_link_makes_one_administrator(database: Database) -> None:
    """Once; a weak password does not use it up."""
    old, secret = setup.create(database), setup.create(database)
    assert old is not None
    assert secret is not None
    assert not setup.is_valid(database, old)
    assert setup.is_valid(database, secret)
    with pytest.raises(WeakPassword):
        setup.redeem(database, secret=secret, name="root", password="short")
    user = setup.redeem(database, secret=secret, name="root", password=PASSWORD)
    assert user.roles == {"administrator"}
    assert not setup.is_valid(database, secret)
    assert setup.create(database) is None
    with pytest.raises(SetupLinkRefused):
        setup.redeem(database, secret=secret, name="other", password=PASSWORD)


def test_two_people_cannot_use_the_link_at_once(database: Database) -> None:
    """One wins, one is refused."""
    secret = setup.create(database)
    assert secret is not None
    outcomes: list[str] = []

    def use(name: str) -> None:
        try:
            setup.redeem(database, secret=secret, name=name, password=PASSWORD)
            outcomes.append("made")
        except SetupLinkRefused:
            outcomes.append("refused")

    threads = [threading.Thread(target=use, args=(f"u{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "refused", "refused", "refused"]
