"""The cookie of a session, and the key of the data directory.

The cookie is random (``negatoscope.domain.identity.sessions``). Over TLS its name begins with
``__Host-``: a browser then takes it from this very host only, for every path (RFC 6265bis §4.1.3.2).
"""

import os
from pathlib import Path
from typing import Final

COOKIE: Final = "negatoscope_session"
KEY_FILE = "session.key"
KEY_BYTES = 32


def load_key(data_dir: Path) -> bytes:
    """The key that seals second factors, made on first use; safe when several processes start at once."""
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
            path.unlink(missing_ok=True)  # cut short by a crash: nothing was sealed with it
    return path.read_bytes()


class SessionCookie:
    """What browsers are told to keep.

    Args:
        secure: Whether browsers reach us over TLS only.
    """

    def __init__(self, *, secure: bool) -> None:
        self.secure = secure
        self.name = f"__Host-{COOKIE}" if secure else COOKIE

    def keep(self, value: str, max_age_s: float) -> bytes:
        """The Set-Cookie value that starts a session."""
        return f"{self.name}={value}; {self._attributes()}; Max-Age={int(max_age_s)}".encode()

    def drop(self) -> bytes:
        """The Set-Cookie value that ends it."""
        return f"{self.name}=; {self._attributes()}; Max-Age=0".encode()

    def _attributes(self) -> str:
        return "Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if self.secure else "")
