"""``negatoscope ae find | send | fetch | commit``: ask another application entity for something."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from negatoscope.cli.common import CommandContext, pass_context, table

if TYPE_CHECKING:
    from negatoscope.domain.devices import ApplicationEntity
    from negatoscope.entrypoints.dimse.calling import Caller, Stop
    from negatoscope.infra.db import Database

EXIT_NOT_DONE: Final = 1
EXIT_USAGE: Final = 2
EXIT_NO_ANSWER: Final = 3
EXIT_INTERRUPTED: Final = 130

RETURN_KEYS: Final = {
    "patient": (
        *("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
        "NumberOfPatientRelatedStudies",
    ),
    "study": (
        *("PatientID", "PatientName", "StudyDate", "StudyTime", "AccessionNumber"),
        *("ModalitiesInStudy", "StudyDescription", "NumberOfStudyRelatedInstances"),
        "StudyInstanceUID",
    ),
    "series": (
        *("SeriesNumber", "Modality", "SeriesDescription", "NumberOfSeriesRelatedInstances"),
        *("StudyInstanceUID", "SeriesInstanceUID"),
    ),
    "image": ("InstanceNumber", "SOPClassUID", "SeriesInstanceUID", "SOPInstanceUID"),
}
"""Asked for at each level beside the keys given."""

_HEADINGS: Final = {
    "PatientBirthDate": "BIRTH DATE", "NumberOfPatientRelatedStudies": "STUDIES",
    "NumberOfStudyRelatedInstances": "IMAGES", "NumberOfSeriesRelatedInstances": "IMAGES",
    "ModalitiesInStudy": "MODALITIES", "StudyDescription": "DESCRIPTION", "SeriesDescription": "DESCRIPTION",
    "AccessionNumber": "ACCESSION",
}  # fmt: skip

study_option = click.option(
    "--study", "study_uid", required=True, metavar="UID", help="Study Instance UID."
)
series_option = click.option(
    "--series", "series_uid", metavar="UID", help="Only this series of it."
)


@click.command()
@click.argument("aet")
@click.option(
    "--level",
    type=click.Choice(tuple(RETURN_KEYS), case_sensitive=False),
    default="study",
    show_default=True,
    help="Query/Retrieve Level.",
)
@click.option(
    "-k",
    "--key",
    "keys",
    multiple=True,
    metavar="KEYWORD=VALUE",
    help="What must match (wildcards * and ?, ranges A-B); a keyword alone is only shown.",
)
@click.option("--limit", type=click.IntRange(min=0), default=0, help="Stop (C-CANCEL) after N.")
@click.option("--json", "as_json", is_flag=True, help="One DICOM JSON object a line, as they come.")
@pass_context
def find(
    context: CommandContext,
    *,
    aet: str,
    level: str,
    keys: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> int:
    """Ask AET what it has (C-FIND).

    Ctrl-C cancels the query and shows what came until then.
    """
    from negatoscope.domain.identity.policies import Action
    from negatoscope.entrypoints.dimse.calling import identifier_of
    from negatoscope.standard.sop_classes import PATIENT_ROOT_FIND, STUDY_ROOT_FIND

    given = dict(_key(text) for text in keys)
    wanted = {_tag(keyword): "" for keyword in RETURN_KEYS[level]} | given
    identifier = identifier_of(level.upper(), wanted)
    model = PATIENT_ROOT_FIND if level == "patient" else STUDY_ROOT_FIND
    found: list[dict[str, Any]] = []
    with context.database() as database, _interruptible() as stop:
        entity = _registered(database, aet)
        with _peer(entity):
            caller = _caller(context, entity, stop)
            for one in caller.find(identifier, model=model, limit=limit):
                if as_json:
                    click.echo(json.dumps(one, ensure_ascii=False))
                found.append({} if as_json else one)
        _note(
            database, Action.QUERY, asked=entity.ae_title, level=level.upper(), answers=len(found)
        )
    if not as_json:
        tags = list(wanted)
        table(
            tuple(_heading(tag) for tag in tags),
            [tuple(_text(one, tag) for tag in tags) for one in found],
        )
    click.echo(
        f"{len(found)} found" + (", stopped there" if stop() or len(found) == limit else ""),
        err=True,
    )
    return EXIT_INTERRUPTED if stop() else 0


@click.command()
@click.argument("aet")
@study_option
@series_option
@pass_context
def send(context: CommandContext, *, aet: str, study_uid: str, series_uid: str | None) -> int:
    """Send what we hold of a study to AET (C-STORE), as it is stored when AET takes that."""
    from negatoscope.domain.archive.retrieve import Retrieval
    from negatoscope.domain.identity.policies import Action
    from negatoscope.domain.viewing.pixels import PixelService
    from negatoscope.domain.viewing.transcoding import Transcoder

    selection = _selection(study_uid, series_uid)
    with context.database() as database, _interruptible() as stop:
        entity = _registered(database, aet)
        retrieval = Retrieval(database, context.volumes())
        caller = _caller(context, entity, stop)
        show = _Line()
        pixels = PixelService.open(context.settings.codecs)
        with _peer(entity), closing(pixels):
            tally = caller.send(
                retrieval,
                selection,
                through=lambda instances: instances,
                progress=lambda now: show(f"{now.completed + now.warning} of {now.total} sent"),
                transcoder=Transcoder(pixels=pixels),
            )
        retrieval.close()
        if not tally.total:
            return _complain(
                "we hold no such study or series", hint="`negatoscope ae find` asks others."
            )
        _note(
            database, Action.RETRIEVE, study=study_uid, destination=entity.ae_title,
            completed=tally.completed, warning=tally.warning, failed=tally.failed,
        )  # fmt: skip
    show.end()
    sent = tally.completed + tally.warning
    click.echo(f"{sent} of {tally.total} sent to {entity.ae_title}, {tally.failed} failed")
    for uid in tally.failed_uids[:20]:
        click.echo(f"failed: {uid}", err=True)
    if tally.failed:
        return _complain(tally.comment or "the peer refused")
    return EXIT_INTERRUPTED if stop() else 0


@click.command()
@click.argument("aet")
@study_option
@series_option
@click.option("--get", "way", flag_value="get", default="get", help="By C-GET, here (the default).")
@click.option(
    "--move", "way", flag_value="move", help="By C-MOVE to our running server, which AET must know."
)
@pass_context
def fetch(
    context: CommandContext, *, aet: str, study_uid: str, series_uid: str | None, way: str
) -> int:
    """Fetch a study from AET into the archive."""
    from negatoscope.app.services import opened_archive
    from negatoscope.entrypoints.dimse.calling import Counts, identifier_of
    from negatoscope.standard.tags import SERIES_INSTANCE_UID, STUDY_INSTANCE_UID

    keys = {STUDY_INSTANCE_UID: study_uid}
    if series_uid:
        keys[SERIES_INSTANCE_UID] = series_uid
    identifier = identifier_of("SERIES" if series_uid else "STUDY", keys)
    show = _Line()

    def progress(now: Counts) -> None:
        done = now.completed + now.warning
        left = "" if now.remaining is None else f", {now.remaining} to come"
        show(f"{done} fetched{left}")

    with context.database() as database, _interruptible() as stop:
        entity = _registered(database, aet)
        caller = _caller(context, entity, stop)
        with _peer(entity):
            if way == "move":
                counts = caller.move(
                    identifier, destination=context.settings.ae_title, progress=progress
                )
            else:
                contexts = caller.storage_contexts(study_uid)
                with opened_archive(context.settings, database) as archive:
                    counts = caller.get(archive, identifier, kinds=contexts, progress=progress)
    show.end()
    fetched = counts.completed + counts.warning
    click.echo(f"{fetched} fetched from {entity.ae_title}, {counts.failed} failed")
    for uid in counts.failed_uids[:20]:
        click.echo(f"failed: {uid}", err=True)
    if counts.failed:
        return _complain("not everything came", hint="the log of the peer, or ours, says why.")
    if counts.cancelled:
        return EXIT_INTERRUPTED
    if not fetched:
        return _complain(f"{entity.ae_title} has no such study or series")
    return 0


@click.command()
@click.argument("aet")
@study_option
@series_option
@click.option(
    "--wait", "wait_s", type=click.FloatRange(min=0), default=30.0, show_default=True, metavar="SECONDS",
    help="How long to wait for the answer, which comes to the running server.",
)  # fmt: skip
@pass_context
def commit(
    context: CommandContext, *, aet: str, study_uid: str, series_uid: str | None, wait_s: float
) -> int:
    """Ask AET to take the responsibility for what we hold of a study (Storage Commitment)."""
    from negatoscope.domain.archive.commitment import Commitment, Reference
    from negatoscope.domain.archive.retrieve import Retrieval
    from negatoscope.domain.identity.policies import Action
    from negatoscope.entrypoints.dimse.server import timeouts_of
    from negatoscope.entrypoints.dimse.storage_commitment_scp import StorageCommitment

    with context.database() as database, _interruptible() as stop:
        entity = _registered(database, aet)
        retrieval = Retrieval(database, context.volumes())
        references = [
            Reference(sop_class_uid=one.sop_class_uid, sop_instance_uid=one.sop_instance_uid)
            for one in retrieval.select(_selection(study_uid, series_uid))
        ]
        if not references:
            return _complain("we hold no such study or series")
        commitment = Commitment(retrieval)
        asking = StorageCommitment(
            commitment=commitment,
            database=database,
            ae_title=context.settings.ae_title,
            timeouts=timeouts_of(context.settings),
            tls=_tls(context, entity),
        )
        key = asking.request_commitment(entity.ae_title, references)
        _note(
            database, Action.COMMIT, study=study_uid, asked=entity.ae_title, objects=len(references)
        )
        deadline = time.monotonic() + wait_s
        state = commitment.state_of(key)
        while (
            state.is_delivered
            and not state.is_answered
            and time.monotonic() < deadline
            and not stop()
        ):
            time.sleep(0.2)
            state = commitment.state_of(key)
        retrieval.close()
    if not state.is_delivered:
        _complain(
            f"{entity.ae_title} could not be asked: {state.last_error or 'no answer'}",
            hint="the running server asks again until it can.",
        )
        return EXIT_NO_ANSWER
    if not state.is_answered:
        click.echo(
            f"{entity.ae_title} was asked for {len(references)} objects (transaction {state.transaction_uid}) "
            "and has not answered yet; the running server takes its answer"
        )
        return EXIT_INTERRUPTED if stop() else EXIT_NO_ANSWER
    click.echo(f"{state.committed} committed by {entity.ae_title}, {len(state.failed)} not")
    for failure in state.failed[:20]:
        click.echo(f"failed: {failure.reference.sop_instance_uid} ({failure.reason:04X})", err=True)
    return EXIT_NOT_DONE if state.failed else 0


# -- what the commands share ----------------------------------------------------------------------------------------


def _complain(message: str, *, hint: str = "") -> int:
    from negatoscope.cli import complain

    complain(message, hint=hint)
    return EXIT_NOT_DONE


def _registered(database: "Database", aet: str) -> "ApplicationEntity":
    from negatoscope.domain.devices import ae as registry
    from negatoscope.domain.devices.errors import UnknownApplicationEntity

    entry = registry.find(database, aet)
    if entry is None:
        raise UnknownApplicationEntity(
            f"{aet} is not registered", hint="`negatoscope ae list` names them."
        )
    return entry


def _tls(context: CommandContext, entity: "ApplicationEntity") -> Any:
    from negatoscope.app.calling import client_tls

    return client_tls(context.settings) if entity.tls else None


def _caller(context: CommandContext, entity: "ApplicationEntity", stop: "Stop") -> "Caller":
    from negatoscope.entrypoints.dimse.calling import Caller
    from negatoscope.entrypoints.dimse.server import timeouts_of

    return Caller(
        entity=entity,
        ae_title=context.settings.ae_title,
        timeouts=timeouts_of(context.settings),
        tls=_tls(context, entity),
        stop=stop,
    )


@contextmanager
def _peer(entity: "ApplicationEntity") -> Iterator[None]:
    """Say who did not answer, and end with the code for it."""
    from negatoscope.cli import complain
    from negatoscope.infra.settings import HostPort
    from negatoscope.protocols.dicom.dimse.errors import (
        AssociationRejected,
        DimseError,
        NoPresentationContext,
    )

    where = f"{entity.ae_title} at {HostPort(entity.host, entity.port)}"
    try:
        yield
    except NoPresentationContext as error:
        complain(f"{where}: {error}", hint="it does not offer this service, or not to us.")
        sys.exit(EXIT_NOT_DONE)
    except AssociationRejected as error:
        complain(f"{where}: {error}", hint="does it know our AE title?")
        sys.exit(EXIT_NO_ANSWER)
    except DimseError as error:
        complain(f"{where}: {error}", hint="`negatoscope ae echo` looks whether it runs.")
        sys.exit(EXIT_NO_ANSWER)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl-C once: end in order, by the flag given; twice: at once."""
    pressed = 0

    def note(_number: int, _frame: object) -> None:
        nonlocal pressed
        pressed += 1
        if pressed > 1:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed > 0
    finally:
        signal.signal(signal.SIGINT, before)


def _note(database: "Database", action: Any, *, study: str | None = None, **detail: object) -> None:
    from negatoscope.domain.identity import Actor
    from negatoscope.subscribers import audit

    audit.record(
        database,
        actor=Actor.system("command line"),
        action=action,
        study_instance_uid=study,
        detail=detail,
    )


def _selection(study_uid: str, series_uid: str | None) -> Any:
    from negatoscope.domain.archive.retrieve import Selection

    return Selection(study=(study_uid,), series=(series_uid,) if series_uid else ())


def _key(text: str) -> tuple[int, str]:
    keyword, _, value = text.partition("=")
    return _tag(keyword.strip()), value


def _tag(keyword: str) -> int:
    from negatoscope.standard.tags import parse_tag, vr_for

    tag = parse_tag(keyword)
    if tag is None:
        raise click.BadParameter(
            f"{keyword!r} is no attribute: give a keyword (PatientID) or a tag (00100020)",
            param_hint="-k",
        )
    if vr_for(tag) == "SQ":
        raise click.BadParameter(f"{keyword} is a sequence", param_hint="-k")
    return tag


def _heading(tag: int) -> str:
    from negatoscope.standard.tags import format_tag, keyword_for

    keyword = keyword_for(tag)
    if keyword is None:
        return format_tag(tag)
    spaced = "".join(
        f" {letter}" if letter.isupper() and before.islower() else letter
        for before, letter in zip(f" {keyword}", keyword, strict=False)
    )
    return _HEADINGS.get(keyword, spaced.strip().upper())


def _text(one: dict[str, Any], tag: int) -> str:
    values = one.get(f"{tag:08X}", {}).get("Value", [])
    texts = (
        value.get("Alphabetic", "") if isinstance(value, dict) else "" if value is None else value
        for value in values
    )
    text = "\\".join(str(text) for text in texts)
    return "".join(letter if letter.isprintable() else "?" for letter in text)


class _Line:
    """A line that is written over again, on a terminal."""

    def __init__(self) -> None:
        self._shown = False

    def __call__(self, text: str) -> None:
        """Show how far it is."""
        if sys.stderr.isatty():
            self._shown = True
            click.echo(f"\r{text}\033[K", nl=False, err=True)

    def end(self) -> None:
        """Go to the next line."""
        if self._shown:
            click.echo(err=True)
