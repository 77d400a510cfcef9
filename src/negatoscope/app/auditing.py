"""What the worker does for the audit trail: seal, anchor, verify, purge, tell repositories."""

import threading
from collections.abc import Sequence
from pathlib import Path

import structlog

from negatoscope.domain.identity import Actor
from negatoscope.entrypoints.worker.chores import Chore
from negatoscope.infra import metrics
from negatoscope.infra.db import Database
from negatoscope.infra.settings import Settings
from negatoscope.subscribers import audit
from negatoscope.subscribers.audit import anchors, retention, verification
from negatoscope.subscribers.audit.atna import forwarding
from negatoscope.subscribers.audit.chain import Sealer

_LOG = structlog.get_logger(__name__)


def anchor_files(settings: Settings) -> tuple[Path, ...]:
    """Where anchors are written beside the database."""
    return (settings.data_dir / anchors.FILE, *settings.audit.anchor_files)


def audit_chores(settings: Settings, database: Database) -> Sequence[Chore]:
    """The chores of the audit trail."""
    sealer = Sealer(database)
    files = anchor_files(settings)
    watched = _Watched(settings, database)

    def seal(_stop: threading.Event) -> None:
        sealer.seal()

    def measure(_stop: threading.Event) -> None:
        sealer.measure()

        forwarding.measure(database)

    def anchor(_stop: threading.Event) -> None:
        anchors.make(database, files)

    sinks = settings.audit.sinks
    forwarding.forget_others(database, [sink.name for sink in sinks])
    source = forwarding.source_of(settings)
    return [
        *(
            Chore(
                name=f"audit repository {sink.name}",
                every_s=1.0,
                run=forwarding.Forwarder(database, sink, source).run,
            )
            for sink in sinks
        ),
        Chore(name="audit seal", every_s=1.0, run=seal),
        Chore(name="audit measure", every_s=15.0, run=measure),
        Chore(name="audit anchor", every_s=settings.audit.anchor_every_s, run=anchor),
        Chore(name="audit verify", every_s=5.0, run=watched.verify, is_patient=True),
        Chore(name="audit retention", every_s=3600.0, run=watched.purge, is_patient=True),
    ]


class _Watched:
    """Chores whose result somebody must hear of."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings.audit
        self._files = anchor_files(settings)
        self._database = database

    def verify(self, _stop: threading.Event) -> None:
        """Follow the chain when it is asked for, and once a day."""
        report = verification.run_due(
            self._database, every_s=self._settings.verify_every_s, files=self._files
        )
        if report is None:
            return
        metrics.AUDIT_FINDINGS.set(len(report.findings))
        for finding in report.findings:
            _LOG.error(
                "audit.not_as_written", kind=finding.kind, chain=finding.chain, finding=finding.text
            )
        audit.record(
            self._database,
            actor=Actor.system("verification"),
            action="audit verify",
            outcome=audit.Outcome.SUCCESS if report.is_sound else audit.Outcome.FAILED,
            detail={"records": report.records, "findings": [one.text for one in report.findings]},
        )

    def purge(self, stop: threading.Event) -> None:
        """Take away what was kept long enough."""
        told = forwarding.told_position(self._database)
        while not stop.is_set() and retention.purge(
            self._database, self._settings.retention_days, told_position=told
        ):
            continue
