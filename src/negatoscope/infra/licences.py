"""Whose work is in this program, and under which licences: what is installed and what pages carry.

Python packages are read from their installed metadata; those of the web pages from the list that
their build leaves beside them.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, resources
from typing import Final

_REQUIREMENT: Final = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_TEXT_NAME: Final = re.compile(r"(^|/)(licen[cs]e|copying|notice)[^/]*$", re.IGNORECASE)
_TEXT_CHARACTERS: Final = 60_000
_WEB_LIST: Final = "licences.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One package.

    Attributes:
        ecosystem: ``python`` or ``web``.
        licence: SPDX expression, or what the package says of itself.
    """

    name: str
    version: str
    ecosystem: str
    licence: str
    homepage: str


def components() -> list[Component]:
    """Everything that is shipped, ourselves first."""
    found = sorted(_python(), key=lambda one: (one.name != "negatoscope", one.name.lower()))
    return [*found, *_web()]


def texts() -> Iterator[str]:
    """A document with every package, its licence and the licence's text, in pieces."""
    for distribution in _distributions():
        one = _component(distribution)
        yield f"{'=' * 78}\n{one.name} {one.version} ({one.licence})\n{one.homepage}\n\n"
        for file in distribution.files or ():
            if _TEXT_NAME.search(str(file)) and file.suffix.lower() not in {".py", ".pyc"}:
                try:
                    text = file.read_text(encoding="utf-8")
                except (OSError, UnicodeDecodeError):
                    continue
                yield text[:_TEXT_CHARACTERS] + "\n\n"
    for entry in _web_entries():
        yield f"{'=' * 78}\n{entry['name']} {entry['version']} ({entry['licence']})\n"
        yield f"{entry.get('homepage', '')}\n\n{entry.get('text', '')}\n\n"


def _python() -> Iterator[Component]:
    for distribution in _distributions():
        yield _component(distribution)


def _distributions() -> list[metadata.Distribution]:
    """Us and all that we need, as far as it is installed."""
    waiting, seen, found = ["negatoscope"], set(), []
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for other systems or other Python versions
        found.append(distribution)
        for requirement in distribution.requires or ():
            match = _REQUIREMENT.match(requirement)
            if (match and "extra ==" not in requirement) or (
                match and _asked_for(name, requirement)
            ):
                waiting.append(match[1])
    return sorted(found, key=lambda one: str(one.metadata["Name"]).lower())


_EXTRAS: Final = {
    "granian": {"uvloop"},
    "psycopg": {"binary", "pool"},
    "pwdlib": {"argon2"},
}


def _asked_for(name: str, requirement: str) -> bool:
    extra = re.search(r"extra == ['\"]([^'\"]+)['\"]", requirement)
    return extra is not None and extra[1] in _EXTRAS.get(name, set())


def _component(distribution: metadata.Distribution) -> Component:
    about = distribution.metadata
    links = dict(link.split(", ", 1) for link in about.get_all("Project-URL") or () if ", " in link)
    folded = {name.lower(): link for name, link in links.items()}
    homepage = _field(about, "Home-page") or next(
        (folded[name] for name in ("homepage", "source", "repository") if name in folded),
        next(iter(links.values()), ""),
    )
    return Component(
        name=str(about["Name"]),
        version=distribution.version,
        ecosystem="python",
        licence=_licence(about),
        homepage=homepage if homepage.startswith(("https://", "http://")) else "",
    )


def _licence(about: metadata.PackageMetadata) -> str:
    expression = _field(about, "License-Expression")
    if expression:
        return expression
    classified = [
        line.rpartition(" :: ")[2]
        for line in about.get_all("Classifier") or ()
        if line.startswith("License :: ") and not line.endswith("OSI Approved")
    ]
    if classified:
        return ", ".join(classified)
    told = _field(about, "License").strip().splitlines()
    return told[0][:80] if told else "not stated"


def _field(about: metadata.PackageMetadata, name: str) -> str:
    return str(about[name]) if name in about else ""


def _web() -> Iterator[Component]:
    for entry in _web_entries():
        yield Component(
            name=str(entry["name"]),
            version=str(entry["version"]),
            ecosystem="web",
            licence=str(entry["licence"]),
            homepage=str(entry.get("homepage", "")),
        )


def _web_entries() -> list[dict[str, str]]:
    """What the build of the pages wrote; nothing when they were not built."""
    place = resources.files("negatoscope.entrypoints.web.site").joinpath("dist", _WEB_LIST)
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [one for one in found if {"name", "version", "licence"} <= set(one)]
