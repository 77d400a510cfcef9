"""What comes along with what a search finds: ``_include`` and ``_revinclude``.

Standard: HL7 FHIR R4 §3.1.1.5.3. A resource comes once, whatever asks for it. ``:iterate`` is not followed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from negatoscope.entrypoints.fhir.kinds import KINDS
from negatoscope.entrypoints.fhir.searching import Context, Kind
from negatoscope.infra.db.conditions import any_of

MAX_INCLUDED: Final = 1000
"""Resources that refer to what was found, of each type."""
_BATCH: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A reference from one type of resource to another.

    Attributes:
        source: Type that refers.
        parameter: Search parameter of it.
        target: Type that is referred to.
        named: What a resource says in that place.
    """

    source: str
    parameter: str
    target: str
    named: Callable[[dict[str, Any]], Iterable[dict[str, Any]]]

    @property
    def name(self) -> str:
        """As ``_include`` and ``_revinclude`` have it."""
        return f"{self.source}:{self.parameter}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """What comes along.

    Attributes:
        is_complete: Whether nothing more refers to what was found.
    """

    resources: tuple[dict[str, Any], ...] = ()
    is_complete: bool = True


def _subject(resource: dict[str, Any]) -> list[dict[str, Any]]:
    return [resource.get("subject", {})]


def _based_on(resource: dict[str, Any]) -> list[dict[str, Any]]:
    return list(resource.get("basedOn", ()))


def _participants(resource: dict[str, Any]) -> list[dict[str, Any]]:
    return [one.get("actor", {}) for one in resource.get("participant", ())]


def _schedule(resource: dict[str, Any]) -> list[dict[str, Any]]:
    return [resource.get("schedule", {})]


LINKS: Final = tuple(
    Link(source=source, parameter=parameter, target=target, named=named)
    for source, parameter, target, named in (
        ("Encounter", "patient", "Patient", _subject),
        ("Encounter", "subject", "Patient", _subject),
        ("ServiceRequest", "patient", "Patient", _subject),
        ("ServiceRequest", "subject", "Patient", _subject),
        ("Appointment", "patient", "Patient", _participants),
        ("Appointment", "based-on", "ServiceRequest", _based_on),
        ("ImagingStudy", "patient", "Patient", _subject),
        ("ImagingStudy", "subject", "Patient", _subject),
        ("ImagingStudy", "basedon", "ServiceRequest", _based_on),
        ("Slot", "schedule", "Schedule", _schedule),
    )
)


def includes_of(name: str) -> tuple[str, ...]:
    """What ``_include`` takes in a search of a type."""
    return tuple(one.name for one in LINKS if one.source == name)


def reverse_includes_of(name: str) -> tuple[str, ...]:
    """What ``_revinclude`` takes; slots are computed for a range that is asked for, so none come along."""
    return tuple(
        one.name for one in LINKS if one.target == name and isinstance(KINDS[one.source], Kind)
    )


def link_of(text: str) -> Link | None:
    """The link that ``Source:parameter`` or ``Source:parameter:Target`` names; None: none of ours."""
    parts = text.split(":")
    for one in LINKS:
        if parts in ([one.source, one.parameter], [one.source, one.parameter, one.target]):
            return one
    return None


def included(
    context: Context,
    found: Sequence[dict[str, Any]],
    links: Iterable[Link],
    reverse_links: Iterable[Link],
) -> Included:
    """What comes along with what was found.

    Args:
        context: In a transaction.
        found: The matches; they do not come again.
        links: Followed to what they name.
        reverse_links: Followed to what names them.
    """
    known = {_key(one) for one in found}
    resources: list[dict[str, Any]] = []
    is_complete = True

    def add(more: Iterable[dict[str, Any]]) -> None:
        for one in more:
            if _key(one) not in known:
                known.add(_key(one))
                resources.append(one)

    for link in links:
        add(_named(context, found, link))
    for link in reverse_links:
        more = _naming(context, found, link)
        is_complete = is_complete and len(more) <= MAX_INCLUDED
        add(more[:MAX_INCLUDED])
    return Included(resources=tuple(resources), is_complete=is_complete)


def _key(resource: dict[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _named(context: Context, found: Sequence[dict[str, Any]], link: Link) -> list[dict[str, Any]]:
    kind = KINDS[link.target]
    assert isinstance(kind, Kind)  # noqa: S101 - nothing refers to a slot
    prefix = f"{link.target}/"
    texts = [one.get("reference", "") for resource in found for one in link.named(resource)]
    numbers = {text.removeprefix(prefix) for text in texts if text.startswith(prefix)}
    by_id = kind.parameters["_id"]
    return [
        one
        for batch in _batches(sorted(numbers))
        for one in kind.find(
            context, [any_of(*(by_id.condition(context, number, "") for number in batch))], _BATCH
        )
    ]


def _naming(context: Context, found: Sequence[dict[str, Any]], link: Link) -> list[dict[str, Any]]:
    """What refers to the matches; one more than `MAX_INCLUDED` where there is more."""
    kind = KINDS[link.source]
    assert isinstance(kind, Kind)  # noqa: S101 - `reverse_includes_of`
    refers = kind.parameters[link.parameter]
    more: list[dict[str, Any]] = []
    for batch in _batches([_key(one) for one in found]):
        condition = any_of(*(refers.condition(context, text, "") for text in batch))
        more += kind.find(context, [condition], MAX_INCLUDED + 1 - len(more))
        if len(more) > MAX_INCLUDED:
            break
    return more


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), _BATCH):
        yield texts[start : start + _BATCH]
