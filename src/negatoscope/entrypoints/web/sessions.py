"""Sessions of the page: a signed cookie, no server state.

``v1.<base64url JSON>.<base64url HMAC-SHA256>``. The key is a file of the data directory that only
the server's account reads; deleting it signs everybody out. A session ends after
``IDLE_S`` without a request or ``ABSOLUTE_S`` after the sign-in, whichever comes first.
"""

import base64
import binascii
import hashlib
import hmac
import os
import time
from dataclasses import dataclass
from pathlib import Path

import orjson

COOKIE = "negatoscope_session"
KEY_FILE = "session.key"
KEY_BYTES = 32
IDLE_S = 3600
ABSOLUTE_S = 12 * 3600
REFRESH_S = 300
"""Age from which an answer carries a fresh cookie."""
_VERSION = b"v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the cookie says. Times in seconds since 1970."""

    user_name: str
    started_at_s: int
    seen_at_s: int
    csrf: str
    """Repeated in every form of the page."""


def load_key(data_dir: Path) -> bytes:
    """The signing key, made on first use; safe when several processes start at once."""
    path = data_dir / KEY_FILE
    for _ in range(2):
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            data_dir.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{KEY_FILE}.{os.getpid()}")
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(os.urandom(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)  # the first process wins, the others read its key
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        else:
            if len(key) >= KEY_BYTES:
                return key
            path.unlink(missing_ok=True)  # cut short by a crash: nothing was signed with it
    return path.read_bytes()


class SessionSigner:
    """Makes and reads cookies.

    Args:
        key: At least 32 random bytes.
        secure: Whether browsers reach us over TLS only (cookie attribute Secure).
    """

    def __init__(self, key: bytes, *, secure: bool) -> None:
        self._key = hashlib.sha256(b"negatoscope session\0" + key).digest()
        self._secure = secure

    def new(self, user_name: str) -> Session:
        """A session that starts now."""
        now = int(time.time())
        return Session(
            user_name=user_name, started_at_s=now, seen_at_s=now, csrf=os.urandom(16).hex()
        )

    def refreshed(self, session: Session) -> Session | None:
        """The session seen now, when its cookie is old enough to be worth a new one."""
        now = int(time.time())
        if now - session.seen_at_s < REFRESH_S:
            return None
        return Session(
            user_name=session.user_name,
            started_at_s=session.started_at_s,
            seen_at_s=now,
            csrf=session.csrf,
        )

    def encode(self, session: Session) -> str:
        """The cookie's value."""
        payload = _encode64(
            orjson.dumps([session.user_name, session.started_at_s, session.seen_at_s, session.csrf])
        )
        return b".".join((_VERSION, payload, self._signature(payload))).decode("ascii")

    def decode(self, value: str) -> Session | None:
        """The session of a cookie; None when forged, expired or unreadable."""
        try:
            version, payload, signature = value.encode("ascii").split(b".")
        except (UnicodeEncodeError, ValueError):
            return None
        if version != _VERSION or not hmac.compare_digest(signature, self._signature(payload)):
            return None
        try:
            user_name, started_at_s, seen_at_s, csrf = orjson.loads(_decode64(payload))
        except (orjson.JSONDecodeError, binascii.Error, ValueError, TypeError):
            return None
        now = time.time()
        if now - seen_at_s > IDLE_S or now - started_at_s > ABSOLUTE_S:
            return None
        return Session(
            user_name=user_name, started_at_s=started_at_s, seen_at_s=seen_at_s, csrf=csrf
        )

    def set_cookie(self, session: Session) -> bytes:
        """The Set-Cookie value that starts or goes on with a session."""
        return f"{COOKIE}={self.encode(session)}; {self._attributes()}; Max-Age={IDLE_S}".encode()

    def clear_cookie(self) -> bytes:
        """The Set-Cookie value that ends it."""
        return f"{COOKIE}=; {self._attributes()}; Max-Age=0".encode()

    def _attributes(self) -> str:
        return "Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if self._secure else "")

    def _signature(self, payload: bytes) -> bytes:
        return _encode64(hmac.new(self._key, _VERSION + b"." + payload, "sha256").digest())


@dataclass(slots=True)
class _Failures:
    count: int
    last_at_s: float


class AttemptLimiter:
    """Slows down who guesses passwords: per key, a wait that doubles with every failure.

    The memory is per process and bounded; the oldest keys go first.
    """

    FREE_ATTEMPTS = 5
    FIRST_WAIT_S = 2.0
    LONGEST_WAIT_S = 300.0
    FORGET_S = 900.0
    MAX_KEYS = 10_000

    def __init__(self) -> None:
        self._failures: dict[str, _Failures] = {}

    def wait_s(self, key: str) -> float:
        """Seconds until the next attempt is looked at; zero when it may come now."""
        known = self._failures.get(key)
        if known is None:
            return 0.0
        now = time.monotonic()
        if now - known.last_at_s > self.FORGET_S:
            del self._failures[key]
            return 0.0
        over = known.count - self.FREE_ATTEMPTS
        if over < 0:
            return 0.0
        wait: float = min(self.FIRST_WAIT_S * 2.0 ** min(over, 20), self.LONGEST_WAIT_S)
        return max(0.0, known.last_at_s + wait - now)

    def failed(self, key: str) -> None:
        """Count a failure."""
        known = self._failures.pop(key, None) or _Failures(0, 0.0)
        known.count += 1
        known.last_at_s = time.monotonic()
        self._failures[key] = known
        while len(self._failures) > self.MAX_KEYS:
            del self._failures[next(iter(self._failures))]

    def succeeded(self, key: str) -> None:
        """Forget the failures of a key."""
        self._failures.pop(key, None)


def _encode64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode64(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
