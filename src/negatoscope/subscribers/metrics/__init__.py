"""Figures drawn from events."""

from datetime import UTC, datetime
from typing import Any

import psycopg

from negatoscope.infra import metrics
from negatoscope.infra.events import Event


def on_any(_connection: psycopg.Connection[Any], event: Event) -> None:
    """Observe how long an event waited for its subscribers."""
    waited = (datetime.now(UTC) - event.created_at).total_seconds()
    metrics.OUTBOX_SECONDS.labels(event.kind).observe(max(0.0, waited))
