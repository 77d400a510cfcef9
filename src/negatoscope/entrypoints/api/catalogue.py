"""The catalogue of procedures, and files of it and of the resources."""

from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from negatoscope.domain.identity import Action
from negatoscope.domain.scheduling import transfer
from negatoscope.domain.scheduling.catalogue import (
    MAX_PAGE,
    MAX_PROTOCOLS,
    MAX_ROOMS,
    Catalogue,
    Contrast,
    Procedure,
    ProtocolCode,
    SafetyQuestion,
)
from negatoscope.domain.scheduling.catalogue_errors import (
    CatalogueError,
    InvalidEntry,
    UnknownEntry,
    UnreadableFile,
)
from negatoscope.entrypoints.api.common import Asking, Schema, to
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["catalogue"])
Reader = Annotated[Asking, to(Action.READ_WORK)]
Keeper = Annotated[Asking, to(Action.CATALOGUE)]
Number = Annotated[int, Path(ge=1, le=2**62)]
Version = Annotated[int, Query(ge=1, le=2**31 - 1)]
Row = Annotated[int, Field(ge=1, lt=1 << 62)]
R = TypeVar("R")
_MAX_SHOWN_LINES: Final = 2000


class ProtocolSchema(Schema):
    """A protocol code: one step of the procedure."""

    code_value: Annotated[str, Field(min_length=1, max_length=16)]
    coding_scheme_designator: Annotated[str, Field(min_length=1, max_length=16)] = "99LOCAL"
    code_meaning: Annotated[str, Field(min_length=1, max_length=64)]


class ProcedureValues(Schema):
    """What the catalogue says of a procedure."""

    code_value: Annotated[str, Field(min_length=1, max_length=16)]
    coding_scheme_designator: Annotated[str, Field(min_length=1, max_length=16)] = "CCAM"
    label_fr: Annotated[str, Field(min_length=1, max_length=300)]
    label_en: Annotated[str, Field(max_length=300)] = ""
    modality: Annotated[str, Field(max_length=16)] = ""
    body_part_examined: Annotated[str, Field(max_length=16)] = ""
    duration_min: Annotated[int, Field(ge=1, le=1440)] = 20
    preparation_fr: Annotated[str, Field(max_length=4000)] = ""
    preparation_en: Annotated[str, Field(max_length=4000)] = ""
    contrast: Contrast = Contrast.NONE
    contrast_agent: Annotated[str, Field(max_length=100)] = ""
    safety_questions: Annotated[tuple[SafetyQuestion, ...], Field(max_length=10)] = ()
    needs_vetting: bool = False
    protocols: Annotated[tuple[ProtocolSchema, ...], Field(max_length=MAX_PROTOCOLS)] = ()
    rooms: Annotated[tuple[Row, ...], Field(max_length=MAX_ROOMS)] = ()
    """Numbers of rooms; none: wherever a device of its modality stands."""
    default_room: Row | None = None
    is_active: bool = True


class ProcedureChange(ProcedureValues):
    """The same, and the version that was read."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class CatalogueProcedure(ProcedureChange):
    """An entry of the catalogue."""

    id: int


class CatalogueSearch(Schema):
    """What is looked for."""

    text: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""
    modality: Annotated[str, Field(max_length=16, pattern=r"^[A-Z0-9_ ]*$")] = ""
    is_active: bool | None = None
    after: Annotated[int | None, Field(ge=1, le=2**62)] = None
    """Number of the last one of the page before."""
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 100


class CatalogueFile(Schema):
    """A file to take in, or to look at."""

    kind: transfer.FileKind
    content: Annotated[str, Field(min_length=1, max_length=transfer.MAX_BYTES)]
    apply: bool = False
    """False: only say what it would change."""


class ImportChange(Schema):
    """A cell that becomes another."""

    column: str
    before: str
    after: str


class ImportLine(Schema):
    """What becomes of a line that changes something or cannot be taken."""

    line: int
    key: str
    effect: transfer.Effect
    changes: list[ImportChange]
    error: str


class ImportPlan(Schema):
    """What becomes of a file: nothing when a line has an error."""

    is_applied: bool
    new_count: int
    changed_count: int
    same_count: int
    error_count: int
    lines: list[ImportLine]
    """Without those that change nothing, the errors first; at most 2000."""


class KnownProtocol(ProtocolSchema):
    """A protocol code of the catalogue."""

    modalities: list[str]


@router.get("/catalogue/protocols")
async def search_protocols(
    ask: Reader,
    *,
    text: Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")] = "",
    modality: Annotated[str, Query(max_length=16, pattern=r"^[A-Z0-9_ ]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[KnownProtocol]:
    """Protocol codes of every procedure that can be ordered, the most used first."""
    found = await in_transaction(
        ask,
        lambda connection: Catalogue(connection).protocols(
            text=text, modality=modality, limit=limit
        ),
    )
    return [
        KnownProtocol(
            code_value=code.code_value,
            coding_scheme_designator=code.coding_scheme_designator,
            code_meaning=code.code_meaning,
            modalities=list(modalities),
        )
        for code, modalities in found
    ]


@router.get("/catalogue")
async def search_catalogue(
    ask: Reader, search: Annotated[CatalogueSearch, Query()]
) -> list[CatalogueProcedure]:
    """Procedures by French label; every word of ``text`` is in the code or a label."""
    found = await in_transaction(
        ask, lambda connection: Catalogue(connection).search(**search.model_dump())
    )
    return [_shown(one) for one in found]


@router.post("/catalogue", status_code=201)
async def add_procedure(ask: Keeper, values: ProcedureValues) -> CatalogueProcedure:
    """Put a procedure into the catalogue."""
    wanted = _procedure(values)
    added = await in_transaction(ask, lambda connection: Catalogue(connection).add(wanted))
    await ask.note("add procedure", code=added.code_value, scheme=added.coding_scheme_designator)
    return _shown(added)


@router.get("/catalogue/{number}")
async def get_procedure(ask: Reader, number: Number) -> CatalogueProcedure:
    """An entry of the catalogue."""
    return _shown(await in_transaction(ask, lambda connection: Catalogue(connection).get(number)))


@router.put("/catalogue/{number}")
async def put_procedure(ask: Keeper, number: Number, values: ProcedureChange) -> CatalogueProcedure:
    """Replace what the catalogue says of a procedure; 409 when somebody changed it since."""
    wanted = _procedure(values, id=number, version=values.version)
    changed = await in_transaction(ask, lambda connection: Catalogue(connection).change(wanted))
    await ask.note("change procedure", procedure=number, code=changed.code_value)
    return _shown(changed)


@router.delete("/catalogue/{number}", status_code=204)
async def remove_procedure(ask: Keeper, number: Number, version: Version) -> None:
    """Take a procedure out that was never ordered."""
    await in_transaction(
        ask, lambda connection: Catalogue(connection).remove(number, version=version)
    )
    await ask.note("remove procedure", procedure=number)


@router.post("/catalogue-files")
async def load_catalogue_file(ask: Keeper, file: CatalogueFile) -> ImportPlan:
    """Look what a CSV file changes, line by line; with ``apply``, change it, all or nothing."""
    text = file.content.removeprefix("\ufeff")
    plan = await in_transaction(
        ask, lambda connection: transfer.load(connection, file.kind, text, apply=file.apply)
    )
    if plan.is_applied:
        await ask.note(
            "import catalogue",
            kind=str(file.kind),
            new=plan.count(transfer.Effect.NEW),
            changed=plan.count(transfer.Effect.CHANGED),
        )
    telling = [one for one in plan.lines if one.effect is not transfer.Effect.SAME]
    telling.sort(key=lambda one: (one.effect is not transfer.Effect.ERROR, one.line))
    return ImportPlan(
        is_applied=plan.is_applied,
        new_count=plan.count(transfer.Effect.NEW),
        changed_count=plan.count(transfer.Effect.CHANGED),
        same_count=plan.count(transfer.Effect.SAME),
        error_count=plan.count(transfer.Effect.ERROR),
        lines=[
            ImportLine(
                line=one.line,
                key=one.key,
                effect=one.effect,
                changes=[
                    ImportChange(column=name, before=before, after=after)
                    for name, (before, after) in one.changes.items()
                ],
                error=one.error,
            )
            for one in telling[:_MAX_SHOWN_LINES]
        ],
    )


@router.get(
    "/catalogue-files/{kind}",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def export_catalogue_file(ask: Keeper, kind: transfer.FileKind) -> Response:
    """Everything of a kind as CSV, which can be taken in again."""
    text = await in_transaction(ask, lambda connection: transfer.export(connection, kind))
    name = f"{kind.value.lower().replace('_', '-')}.csv"
    return Response(
        text.encode(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


async def in_transaction(ask: Asking, work: Callable[[Any], R]) -> R:
    """Run something with a connection, in one transaction; refusals become problems.

    Raises:
        Problem: 404, 409 or 422, saying what is wrong and what to try.
    """

    def run() -> R:
        with ask.services.database.connection() as connection:
            return work(connection)

    try:
        return await run_blocking(run)
    except UnknownEntry as error:
        raise Problem("not-found", detail=_sentence(error)) from error
    except (InvalidEntry, UnreadableFile) as error:
        raise Problem("invalid-input", detail=_sentence(error)) from error
    except CatalogueError as error:
        raise Problem("conflict", detail=_sentence(error)) from error


def _sentence(error: CatalogueError) -> str:
    text = f"{error.message[:1].upper()}{error.message[1:]}."
    return f"{text} {error.hint[:1].upper()}{error.hint[1:]}" if error.hint else text


def _procedure(values: ProcedureValues, **more: Any) -> Procedure:
    given = {name: getattr(values, name) for name in ProcedureValues.model_fields}
    protocols = tuple(ProtocolCode(**one.model_dump()) for one in values.protocols)
    return Procedure(**given | {"protocols": protocols} | more)


def _shown(one: Procedure) -> CatalogueProcedure:
    given = {field.name: getattr(one, field.name) for field in fields(one)}
    protocols = tuple(ProtocolSchema.model_validate(protocol) for protocol in one.protocols)
    return CatalogueProcedure(**given | {"protocols": protocols})
