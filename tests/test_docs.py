"""Documentation is tested: settings and commands are mentioned, links lead somewhere, pages are current."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from negatoscope.cli import cli
from negatoscope.infra.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
ADMINISTRATION = ROOT / "docs" / "administration.md"
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def pages() -> list[Path]:
    """Every Markdown page of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def anchor(heading: str) -> str:
    """The anchor that repository hosts make of a heading."""
    text = re.sub(r"[`*]", "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def setting_names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Names of all settings, nested ones with a dot."""
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from setting_names(info.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def commands(command: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from commands(child, f"{path} {name}".strip())
    else:
        yield path, command


@pytest.mark.parametrize("name", sorted(setting_names(Settings)))
def test_every_setting_has_a_heading(name: str) -> None:
    """The administration guide explains each setting under a heading of its own."""
    assert re.search(rf"^#+ `{re.escape(name)}`", ADMINISTRATION.read_text("utf-8"), re.MULTILINE)


def test_no_heading_without_a_setting() -> None:
    """A setting that is gone is gone from the guide."""
    section = ADMINISTRATION.read_text("utf-8").split("\n## Settings\n")[1].split("\n## ")[0]
    named = set(re.findall(r"^### `([\w.]+)`", section, re.MULTILINE))
    assert named - set(setting_names(Settings)) == set()


def test_every_command_and_option_is_mentioned() -> None:
    """Each command of the program, and each of its options, stands in the administration guide.

    The options of the benchmarks are many and are told by their own ``--help``.
    """
    text = ADMINISTRATION.read_text("utf-8")
    missing = []
    for path, command in commands(cli):
        if command.hidden:
            continue
        if f"negatoscope {path}" not in text:
            missing.append(path)
        options = [
            o
            for p in command.params
            if isinstance(p, click.Option) and not p.hidden
            for o in p.opts
        ]
        if not path.startswith("bench"):
            missing += [
                f"{path} {o}" for o in options if o.startswith("--") and f"{o}`" not in text
            ]
    assert missing == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """Files exist, and anchors are headings of theirs."""
    broken = []
    for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, fragment = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        if not linked.exists() or (fragment and fragment not in anchors(linked)):
            broken.append(target)
    assert broken == []


def test_pages_name_neither_this_machine_nor_a_package_index() -> None:
    """Pages read the same everywhere."""
    unwanted = re.compile(
        r"(?<![\w.])/(work|root|tmp/house)/|\bpypi\.org|pythonhosted|registry\.npmjs|deb\.debian"
    )
    found = {
        str(page.relative_to(ROOT)): match.group()
        for page in pages()
        if (match := unwanted.search(page.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_change_notes_have_a_known_kind() -> None:
    """``<topic>.<kind>.md``, as changes/README.md says."""
    kinds = {"added", "changed", "fixed", "security", "removed"}
    names = [path.name for path in (ROOT / "changes").glob("*.md") if path.name != "README.md"]
    assert [
        name for name in names if name.split(".")[-2] not in kinds or name.count(".") != 2
    ] == []
