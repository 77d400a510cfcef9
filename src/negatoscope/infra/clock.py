"""The instants of this program: aware, UTC."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present instant, aware, UTC."""
    return datetime.now(UTC)
