"""Settings of the embedded server, for the machine it finds itself on."""

import os
import shutil
from pathlib import Path

_MIB = 1 << 20
_GIB = 1 << 30


def configuration(*, cluster_dir: Path, socket_dir: Path, port: int, durable: bool) -> str:
    """The text of ``negatoscope.conf``.

    An administrator's own values belong in ``postgresql.auto.conf`` (``ALTER SYSTEM``), which is
    read later and wins.

    Args:
        cluster_dir: Decides how much log may pile up: a twentieth of the free space.
        socket_dir: Where the Unix socket is made.
        port: Only names the socket; nothing listens on TCP.
        durable: ``False`` for clusters of tests, which are thrown away.
    """
    memory = memory_bytes()
    free = shutil.disk_usage(cluster_dir).free
    settings: dict[str, str | int] = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket_dir),
        "unix_socket_permissions": "0700",
        "port": port,
        "max_connections": 200,
        "shared_buffers": _mib(_between(64 * _MIB, memory // 8, 2 * _GIB)),
        "effective_cache_size": _mib(memory // 2),
        "work_mem": "16MB",
        "maintenance_work_mem": _mib(_between(64 * _MIB, memory // 32, _GIB)),
        "max_wal_size": _mib(_between(256 * _MIB, free // 20, 8 * _GIB)),
        "checkpoint_timeout": "15min",
        "wal_compression": "pglz",
        "random_page_cost": "1.1",
        # Index look-ups of microseconds: neither compiled nor spread over the few cores there are.
        "jit": "off",
        "max_parallel_workers_per_gather": 0,
        "max_parallel_maintenance_workers": 0,
        "autovacuum_naptime": "20s",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "on",
        "log_directory": "log",
        "log_filename": "postgresql-%a.log",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": 0,
        "log_checkpoints": "off",
        # Key values and failing rows would name patients.
        "log_error_verbosity": "terse",
        "log_parameter_max_length": 0,
        "log_parameter_max_length_on_error": 0,
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
    }
    if not durable:
        settings |= {
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "shared_buffers": "64MB",
            "max_wal_size": "512MB",
            "autovacuum": "off",
            "logging_collector": "off",
        }
    lines = ["# Written at every start; put your own values in place with ALTER SYSTEM."]
    lines += [
        f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()
    ]
    return "\n".join(lines) + "\n"


def memory_bytes() -> int:
    """Memory this process may use: the machine's, or the control group's limit if that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return total


def _between(low: int, value: int, high: int) -> int:
    return max(low, min(value, high))


def _mib(size: int) -> str:
    return f"{size // _MIB}MB"
