"""Settings: what is in force and why, and changing some while everything runs."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from negatoscope.entrypoints.api.common import Administer, Asking, Schema
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra import runtime_settings
from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.settings_catalogue import Entry, entries
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["settings"])
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_.]{0,80}$")]


class Setting(Schema):
    """A setting; values are JSON, secrets are withheld."""

    name: str
    value: Any
    default: Any
    source: str
    kind: str
    choices: list[str]
    minimum: float | None
    maximum: float | None
    is_changeable: bool
    is_overridden: bool
    english: str
    french: str


class NewValue(Schema):
    """What it shall be from now on."""

    value: Annotated[Any, Field(description="As JSON: a number, a text, a list of texts.")]


class SettingChange(Schema):
    """One change; null stands for the value of the file, the environment or the default."""

    id: int
    name: str
    old_value: Any
    new_value: Any
    changed_at: datetime
    changed_by: str


@router.get("/settings")
async def list_settings(ask: Administer) -> list[Setting]:
    """Every setting, with the value in force and where it comes from."""
    return await run_blocking(_settings, ask)


@router.get("/settings/history")
async def list_setting_changes(ask: Administer, name: str | None = None) -> list[SettingChange]:
    """Who changed what and when, the latest first."""
    found = await run_blocking(runtime_settings.history, ask.services.database, name=name)
    return [SettingChange.model_validate(one) for one in found]


@router.put("/settings/{name}")
async def put_setting(ask: Administer, name: Name, new: NewValue) -> Setting:
    """Change a setting in every process within seconds."""
    if new.value is None:
        raise Problem("invalid-input", detail="A value is missing.")
    return await _change(ask, name, new.value)


@router.delete("/settings/{name}")
async def reset_setting(ask: Administer, name: Name) -> Setting:
    """Go back to the value of the command line, the environment, the file or the default."""
    return await _change(ask, name, None)


async def _change(ask: Asking, name: str, value: Any) -> Setting:
    def act() -> tuple[runtime_settings.SettingChange, list[Setting]]:
        with ask.services.database.connection() as connection:
            change = runtime_settings.change(
                connection,
                ask.services.settings.as_started,
                name=name,
                value=value,
                by=ask.actor.name,
            )
        return change, _settings(ask)

    try:
        change, found = await run_blocking(act)
    except ConfigurationError as error:
        raise Problem("invalid-input", detail=f"{error.message}. {error.hint}") from error
    await ask.note("change setting", name=name, before=change.old_value, after=change.new_value)
    return next(one for one in found if one.name == name)


def _settings(ask: Asking) -> list[Setting]:
    with ask.services.database.connection() as connection:
        given = runtime_settings.overrides(connection)
        current = runtime_settings.in_force(ask.services.settings.as_started, connection)
    return [_setting(one, one.name in given) for one in entries(current)]


def _setting(entry: Entry, is_overridden: bool) -> Setting:
    source = entry.source
    if source == runtime_settings.SOURCE and not is_overridden:
        source = "default"  # a neighbour under the same heading was changed, not this one
    return Setting(
        name=entry.name,
        value=entry.value,
        default=entry.default,
        source=source,
        kind=entry.kind,
        choices=list(entry.choices),
        minimum=entry.minimum,
        maximum=entry.maximum,
        is_changeable=entry.is_changeable,
        is_overridden=is_overridden,
        english=entry.english,
        french=entry.french,
    )
