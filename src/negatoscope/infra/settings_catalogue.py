"""Every setting with its value, its default, where it comes from, what it may be and what it does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from negatoscope.infra.runtime_settings import CHANGEABLE
from negatoscope.infra.settings import Settings
from negatoscope.infra.settings_texts import ENGLISH, FRENCH

_SECRET: Final = frozenset({"database_url", "client_secret"})
_HIDDEN: Final = "…"

Kind = Literal[
    "text", "integer", "number", "boolean", "bytes", "seconds", "choice", "list", "structure"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One setting.

    Attributes:
        name: Nested ones with a dot.
        value: In force, as JSON; secrets are withheld.
        default: Likewise.
        source: Where the value comes from.
        kind: How it is written.
        choices: Of a choice.
        minimum: Of a number; exclusive ones too.
        maximum: Likewise.
        is_changeable: While the program runs.
        english: What it does.
        french: Likewise.
    """

    name: str
    value: Any
    default: Any
    source: str
    kind: Kind
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    is_changeable: bool
    english: str
    french: str


def entries(settings: Settings) -> list[Entry]:
    """All of them, in the order of the guide."""
    return list(_of(settings, settings, ""))


def _of(settings: Settings, model: BaseModel, prefix: str) -> Iterator[Entry]:
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _of(settings, value, f"{prefix}{name}.")
            continue
        full = prefix + name
        minimum, maximum = _bounds(info)
        kind, choices = _kind(name, info)
        english = ENGLISH.get(full) or _line(info.description)
        yield Entry(
            name=full,
            value=_shown(name, value),
            default=_shown(name, _default(info)),
            source=settings.source(full.partition(".")[0]),
            kind=kind,
            choices=choices,
            minimum=minimum,
            maximum=maximum,
            is_changeable=full in CHANGEABLE,
            english=english,
            french=FRENCH.get(full) or english,
        )


def _default(info: FieldInfo) -> Any:
    if info.default_factory is not None:
        return info.get_default(call_default_factory=True, validated_data={})
    return None if info.is_required() else info.default


def _kind(name: str, info: FieldInfo) -> tuple[Kind, tuple[str, ...]]:
    annotation = info.annotation
    if get_origin(annotation) is Literal:
        return "choice", tuple(str(one) for one in get_args(annotation))
    if annotation is bool:
        return "boolean", ()
    if annotation in (int, float):
        if name.endswith("_bytes"):
            return "bytes", ()
        if name.endswith("_s"):
            return "seconds", ()
        return ("integer" if annotation is int else "number"), ()
    if get_origin(annotation) is tuple:
        inner = get_args(annotation)[0]
        is_model = isinstance(inner, type) and issubclass(inner, BaseModel)
        return ("structure" if is_model else "list"), ()
    return "text", ()


def _bounds(info: FieldInfo) -> tuple[float | None, float | None]:
    minimum = maximum = None
    for one in info.metadata:
        match one:
            case Ge(ge=found) | Gt(gt=found):
                minimum = float(found)  # type: ignore[arg-type]
            case Le(le=found) | Lt(lt=found):
                maximum = float(found)  # type: ignore[arg-type]
    return minimum, maximum


def _shown(name: str, value: Any) -> Any:
    """A value as JSON may carry it, without what opens doors."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if name in _SECRET:
        return _HIDDEN
    if isinstance(value, BaseModel):
        return {key: _shown(key, getattr(value, key)) for key in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): _shown(str(key), one) for key, one in value.items()}
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        return [_shown(name, one) for one in value]
    return str(value)


@cache
def _line(text: str | None) -> str:
    return " ".join((text or "").replace("`", "").split())
