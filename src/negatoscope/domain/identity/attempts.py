"""Guessing is slowed down: by account and address together, and by address.

Nobody can lock a colleague out: failures from one address do not count for another. The figures are
in the database, so that they hold for every process.
"""

from typing import Final

from negatoscope.infra.db import Database

FREE_FOR_ACCOUNT: Final = 5
"""Failures of one address with one account before it must wait."""
FREE_FOR_ADDRESS: Final = 30
"""Failures of one address with any account; a ward behind one address makes some."""
FIRST_WAIT_S: Final = 2.0
LONGEST_WAIT_S: Final = 300.0
FORGET_S: Final = 900.0

_WAIT = """
SELECT coalesce(max(extract(epoch FROM last_at - now())
                    + least(%(first)s * 2.0 ^ least(failure_count - free, 20), %(longest)s)), 0)
FROM sign_in_failure JOIN unnest(%(keys)s::text[], %(free)s::int[]) AS asked(asked_key, free) ON key = asked_key
WHERE failure_count >= free AND last_at > now() - make_interval(secs => %(forget)s)
"""
_FAILED = """
INSERT INTO sign_in_failure (key, failure_count) SELECT unnest(%(keys)s::text[]), 1
ON CONFLICT (key) DO UPDATE SET last_at = now(), failure_count = CASE
    WHEN sign_in_failure.last_at < now() - make_interval(secs => %(forget)s) THEN 1
    ELSE sign_in_failure.failure_count + 1 END
"""


def keys(name: str, peer: str) -> tuple[str, str]:
    """What failures are counted under: the account from this address, and the address."""
    return f"account {name.strip().casefold()[:100]} from {peer}", f"address {peer}"


def wait_s(database: Database, name: str, peer: str) -> float:
    """Seconds until the next attempt is looked at; zero when it may come now."""
    with database.connection() as connection:
        row = connection.execute(
            _WAIT,
            {
                "keys": list(keys(name, peer)),
                "free": [FREE_FOR_ACCOUNT, FREE_FOR_ADDRESS],
                "first": FIRST_WAIT_S,
                "longest": LONGEST_WAIT_S,
                "forget": FORGET_S,
            },
        ).fetchone()
    return max(0.0, float(row[0])) if row else 0.0


def failed(database: Database, name: str, peer: str) -> None:
    """Count a failure."""
    with database.connection() as connection:
        connection.execute(_FAILED, {"keys": sorted(keys(name, peer)), "forget": FORGET_S})


def succeeded(database: Database, name: str, peer: str) -> None:
    """Forget the failures of the account from this address; the address's own wear off."""
    with database.connection() as connection:
        connection.execute("DELETE FROM sign_in_failure WHERE key = %s", (keys(name, peer)[0],))


def forget_old(database: Database) -> None:
    """Take away what has worn off."""
    with database.connection() as connection:
        connection.execute(
            "DELETE FROM sign_in_failure WHERE last_at < now() - make_interval(secs => %s)",
            (FORGET_S,),
        )
