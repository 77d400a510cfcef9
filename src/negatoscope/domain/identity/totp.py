"""Codes that change every thirty seconds (RFC 6238), and the codes for who lost the device.

Secrets are stored sealed (AES-256-GCM) with a key of the data directory: a copy of the database
makes no code.
"""

import base64
import hashlib
import hmac
import os
import secrets
import struct
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from negatoscope.infra.db import Database

STEP_S: Final = 30
DIGITS: Final = 6
DRIFT_STEPS: Final = 1
"""Steps before and after now whose code is taken (RFC 6238 §5.2)."""
SECRET_BYTES: Final = 20
RECOVERY_CODES: Final = 10
_NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What an authenticator application is told, once.

    Attributes:
        secret: Base32, to be typed.
        uri: ``otpauth://totp/…``, to be shown as a QR code.
    """

    secret: str
    uri: str


def code(secret: bytes, step: int) -> str:
    """The code of a step (RFC 4226 §5.3)."""
    digest = hmac.new(secret, struct.pack(">Q", step), "sha1").digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def begin(
    database: Database, key: bytes, *, user_id: int, user_name: str, issuer: str
) -> Enrolment:
    """Make a secret that counts once ``confirm`` has seen a code of it; an older unconfirmed one ends.

    Args:
        database: Where.
        key: That seals it.
        user_id, user_name: Whose.
        issuer: Shown beside the name in the authenticator.
    """
    secret = secrets.token_bytes(SECRET_BYTES)
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO user_totp (user_fk, secret) VALUES (%s, %s) ON CONFLICT (user_fk) DO UPDATE"
            " SET secret = excluded.secret, created_at = now(), last_step = 0"
            " WHERE user_totp.confirmed_at IS NULL",
            (user_id, _seal(key, user_id, secret)),
        )
    text = base64.b32encode(secret).decode("ascii")
    label = quote(f"{issuer}:{user_name}", safe="")
    query = urlencode({"secret": text, "issuer": issuer, "digits": DIGITS, "period": STEP_S})
    return Enrolment(secret=text, uri=f"otpauth://totp/{label}?{query}")


def is_confirmed(database: Database, user_id: int) -> bool:
    """Whether codes are asked of this account."""
    with database.connection() as connection:
        return has_confirmed_in(connection, user_id)


def has_confirmed_in(connection: psycopg.Connection[Any], user_id: int) -> bool:
    """The same inside a transaction."""
    row = connection.execute(
        "SELECT 1 FROM user_totp WHERE user_fk = %s AND confirmed_at IS NOT NULL", (user_id,)
    ).fetchone()
    return row is not None


def confirm(database: Database, key: bytes, *, user_id: int, given: str) -> tuple[str, ...] | None:
    """From now on codes are asked, if this one is right.

    Returns: Recovery codes, shown once; None when the code is wrong or nothing waits for one.
    """
    with database.connection() as connection:
        if has_confirmed_in(connection, user_id) or not _take(connection, key, user_id, given):
            return None
        connection.execute(
            "UPDATE user_totp SET confirmed_at = now() WHERE user_fk = %s", (user_id,)
        )
        connection.execute("DELETE FROM user_recovery_code WHERE user_fk = %s", (user_id,))
        made = tuple(_recovery_code() for _ in range(RECOVERY_CODES))
        for one in made:
            connection.execute(
                "INSERT INTO user_recovery_code (user_fk, sha256) VALUES (%s, %s)",
                (user_id, _digest(one)),
            )
    return made


def verify(database: Database, key: bytes, *, user_id: int, given: str) -> bool:
    """Whether a code or a recovery code is right; each is taken once."""
    with database.connection() as connection:
        if not has_confirmed_in(connection, user_id):
            return False
        if _take(connection, key, user_id, given):
            return True
        used = connection.execute(
            "UPDATE user_recovery_code SET used_at = now()"
            " WHERE user_fk = %s AND sha256 = %s AND used_at IS NULL",
            (user_id, _digest(given)),
        )
    return used.rowcount == 1


def remove(database: Database, user_id: int) -> bool:
    """Ask no codes any more.

    Returns: Whether any were asked.
    """
    with database.connection() as connection:
        connection.execute("DELETE FROM user_recovery_code WHERE user_fk = %s", (user_id,))
        removed = connection.execute("DELETE FROM user_totp WHERE user_fk = %s", (user_id,))
    return removed.rowcount == 1


def recovery_codes_left(database: Database, user_id: int) -> int:
    """How many recovery codes were not used yet."""
    with database.connection() as connection:
        row = connection.execute(
            "SELECT count(*) FROM user_recovery_code WHERE user_fk = %s AND used_at IS NULL",
            (user_id,),
        ).fetchone()
    return int(row[0]) if row else 0


def _take(connection: psycopg.Connection[Any], key: bytes, user_id: int, given: str) -> bool:
    row = connection.execute(
        "SELECT secret, last_step FROM user_totp WHERE user_fk = %s FOR UPDATE", (user_id,)
    ).fetchone()
    if row is None:
        return False
    secret = _unseal(key, user_id, bytes(row[0]))
    given = "".join(given.split())
    if secret is None or len(given) != DIGITS or not given.isascii():
        return False
    now = int(time.time()) // STEP_S
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if hmac.compare_digest(code(secret, step), given) and step > row[1]:
            connection.execute(
                "UPDATE user_totp SET last_step = %s WHERE user_fk = %s", (step, user_id)
            )
            return True
    return False


def _seal(key: bytes, user_id: int, secret: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_sealing_key(key)).encrypt(nonce, secret, b"totp %d" % user_id)


def _unseal(key: bytes, user_id: int, sealed: bytes) -> bytes | None:
    try:
        return AESGCM(_sealing_key(key)).decrypt(
            sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], b"totp %d" % user_id
        )
    except InvalidTag:  # the key of the data directory is another one: recovery codes still work
        return None


def _sealing_key(key: bytes) -> bytes:
    return hashlib.sha256(b"negatoscope totp\0" + key).digest()


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode("ascii").lower()
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def _digest(given: str) -> bytes:
    plain = "".join(given.split()).replace("-", "").lower()
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()
