"""Labels and letters: as PDF for the browser's printer, as ZPL for label printers."""

import socket
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar

import psycopg
from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from negatoscope.domain.identity import Action
from negatoscope.domain.performed import documents
from negatoscope.domain.performed.documents import CannotRender, LabelSize, Sender, UnknownDocument
from negatoscope.entrypoints.api.common import Asking, Schema, to
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.settings import PrinterSettings
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["labels and letters"])
T = TypeVar("T")
Reader = Annotated[Asking, to(Action.READ_WORK)]
Performer = Annotated[Asking, to(Action.PERFORM)]
Number = Annotated[int, Path(ge=1, lt=1 << 62)]
PRINTER_TIMEOUT_S: Final = 5.0
_PDF: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}
_ZPL: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}


class Printer(Schema):
    """A label printer that an administrator configured."""

    name: str
    dots_per_mm: int


class PrintOrder(Schema):
    """Which printer, and how often."""

    printer: Annotated[str, Field(max_length=32)]
    copies: Annotated[int, Field(ge=1, le=20)] = 1


@router.get("/examinations/{procedure}/label.pdf", response_class=Response, responses=_PDF)
async def get_label_pdf(
    ask: Reader,
    procedure: Number,
    *,
    copies: Annotated[int, Query(ge=1, le=24)] = 1,
    sheet: bool = False,
    skip: Annotated[int, Query(ge=0, le=54)] = 0,
) -> Response:
    """Labels of an examination: a page for each, or on a sheet of A4 whose first ``skip`` places are used."""
    label = await _label(ask, procedure)
    settings = ask.services.settings
    content = await _drawn(
        lambda: documents.label_pdf(
            [label] * copies, _size(ask), zone=settings.zone, is_sheet=sheet, skip=skip
        )
    )
    await ask.note("print label", procedure=procedure)
    return _inline(content, "application/pdf", f"label-{procedure}.pdf")


@router.get("/examinations/{procedure}/label.zpl", response_class=Response, responses=_ZPL)
async def get_label_zpl(
    ask: Reader,
    procedure: Number,
    *,
    copies: Annotated[int, Query(ge=1, le=24)] = 1,
    dots_per_mm: Annotated[int, Query(ge=6, le=24)] = 8,
) -> Response:
    """The label for a printer that speaks ZPL II."""
    label = await _label(ask, procedure)
    zone = ask.services.settings.zone
    content = documents.label_zpl(
        label, _size(ask), dots_per_mm=dots_per_mm, zone=zone, copies=copies
    )
    await ask.note("print label", procedure=procedure)
    return _inline(content, "text/plain; charset=utf-8", f"label-{procedure}.zpl")


@router.get("/label-printers")
async def list_label_printers(ask: Reader) -> list[Printer]:
    """The printers that labels can be sent to."""
    found = ask.services.settings.documents.printers
    return [Printer(name=one.name, dots_per_mm=one.dots_per_mm) for one in found]


@router.post("/examinations/{procedure}/label/prints", status_code=202)
async def print_label(ask: Performer, procedure: Number, wanted: PrintOrder) -> None:
    """Send the label to a configured printer."""
    settings = ask.services.settings
    printer = next((p for p in settings.documents.printers if p.name == wanted.printer), None)
    if printer is None:
        raise Problem("not-found", detail="No such printer is configured.")
    label = await _label(ask, procedure)
    content = documents.label_zpl(
        label,
        _size(ask),
        dots_per_mm=printer.dots_per_mm,
        zone=settings.zone,
        copies=wanted.copies,
    )
    try:
        await run_blocking(_send, printer, content)
    except OSError as error:
        raise Problem(
            "printer-unreachable", detail=f"The printer {printer.name} does not answer."
        ) from error
    await ask.note("print label", procedure=procedure, printer=printer.name)


@router.get("/appointments/{appointment}/letter.pdf", response_class=Response, responses=_PDF)
async def get_letter_pdf(
    ask: Reader, appointment: Number, language: Literal["fr", "en"] | None = None
) -> Response:
    """The letter that tells a patient when and where to come, and how to prepare."""
    settings = ask.services.settings
    paper = settings.documents
    letter = await _read(
        ask,
        lambda connection: documents.letter_of_appointment(
            connection,
            appointment,
            language or paper.language,
            today=datetime.now(settings.zone).date(),
        ),
    )
    sender = Sender(
        hospital=paper.hospital,
        department=paper.department,
        address=paper.address,
        telephone=paper.telephone,
    )
    content = await _drawn(lambda: documents.letter_pdf(letter, sender, zone=settings.zone))
    await ask.note("print appointment letter", appointment=appointment)
    return _inline(content, "application/pdf", f"appointment-{appointment}.pdf")


def _send(printer: PrinterSettings, content: bytes) -> None:
    address = (printer.host, printer.port)
    with socket.create_connection(address, timeout=PRINTER_TIMEOUT_S) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)


async def _label(ask: Asking, procedure: int) -> documents.Label:
    return await _read(ask, lambda connection: documents.label_of_procedure(connection, procedure))


async def _read(ask: Asking, work: Callable[[psycopg.Connection[Any]], T]) -> T:
    def run() -> T:
        with ask.services.database.connection() as connection:
            return work(connection)

    try:
        return await run_blocking(run)
    except UnknownDocument as error:
        raise Problem("not-found") from error


async def _drawn(draw: Callable[[], bytes]) -> bytes:
    try:
        return await run_blocking(draw)
    except CannotRender as error:
        detail = f"{error.message[:1].upper()}{error.message[1:]}."
        raise Problem("conflict", detail=detail) from error


def _size(ask: Asking) -> LabelSize:
    paper = ask.services.settings.documents
    return LabelSize(
        width_mm=paper.label_width_mm,
        height_mm=paper.label_height_mm,
        columns=paper.sheet_columns,
        rows=paper.sheet_rows,
    )


def _inline(content: bytes, media_type: str, name: str) -> Response:
    headers = {"content-disposition": f'inline; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
