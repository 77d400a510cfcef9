"""The storage format's page is true: its shell commands read a segment without this program."""

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from negatoscope.infra.storage.posix.segment import SegmentFile, scan

PAGE = Path(__file__).resolve().parents[1] / "docs" / "storage-format.md"


def recipe(title: str) -> str:
    """A shell block of the page, as it stands."""
    found = re.search(
        rf"<!-- recipe: {title}[^\n]*-->\n```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    )
    assert found
    return found.group(1)


def run(script: str, **variables: object) -> str:
    """Run with /bin/sh, stopping at the first error."""
    return subprocess.run(
        ["/bin/sh", "-eu", "-c", script],
        env={name: str(value) for name, value in variables.items()}
        | {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    """A sealed segment of three objects and a member that is none."""
    path = tmp_path / "volume" / "segments" / "01KB" / "01KBC3N5VQ6M0J4WYE2R8T7XZA.tar"
    file = SegmentFile.create(path)
    for number, (head, body) in enumerate(
        [(132, b"short"), (200, bytes(range(256)) * 40), (352, b"x" * 512)], start=1
    ):
        digest = hashlib.sha256(body).hexdigest()
        name = f"01KBC3N5VQ6M0J4WYE2R8T7X{number:02d}.dcm"
        comment = {"sha256": digest, "dso": head}
        offset = file.append_whole(name, bytes(128) + b"DICM" + bytes(head - 132) + body, comment)
        file.entries.append(f"{digest}\t{offset}\t{head + len(body)}\t{head}\t{name}\n")
    offset = file.append_whole("01KBC3N5VQ6M0J4WYE2R8T7X04.journal.json", b"{}", {})
    file.entries.append(f"-\t{offset}\t2\t0\t01KBC3N5VQ6M0J4WYE2R8T7X04.journal.json\n")
    file.seal()
    file.close()
    return path


def test_tar_and_sha256sum_prove_every_object(segment: Path, tmp_path: Path) -> None:
    """The recipe unpacks the files and finds each digest of the manifest."""
    out = tmp_path / "out"
    out.mkdir()
    said = run(recipe("tests run this block"), SEGMENT=segment, OUT=out)
    assert said.splitlines() == [f"01KBC3N5VQ6M0J4WYE2R8T7X0{n}.dcm: OK" for n in (1, 2, 3)]
    assert (out / "README.txt").read_text().startswith("This TAR file is a segment")


def test_recipe_tells_an_altered_object(segment: Path, tmp_path: Path) -> None:
    """One flipped byte, and the recipe names the member."""
    out = tmp_path / "out"
    out.mkdir()
    content = bytearray(segment.read_bytes())
    content[content.index(b"short")] ^= 1
    segment.chmod(0o600)
    segment.write_bytes(content)
    said = run(recipe("tests run this block"), SEGMENT=segment, OUT=out)
    assert said.splitlines()[0] == "01KBC3N5VQ6M0J4WYE2R8T7X01.dcm: DIFFERS"


def test_comment_record_is_found_by_its_offset(segment: Path) -> None:
    """The page's one-liner shows the JSON beside a member."""
    with segment.open("rb") as opened:
        members = list(scan(opened.fileno(), length=segment.stat().st_size))
    first = next(member for member in members if member.header.name.endswith("01.dcm"))
    said = run(recipe("comment"), SEGMENT=segment, offset=first.content_offset)
    assert f'"sha256":"{hashlib.sha256(b"short").hexdigest()}"' in said


def test_readme_in_the_segment_tells_a_command_that_works(segment: Path, tmp_path: Path) -> None:
    """A segment found alone explains itself."""
    readme = run('tar -xOf "$SEGMENT" README.txt', SEGMENT=segment)
    command = next(line for line in readme.splitlines() if "To check one:" in line).split(": ", 1)[
        1
    ]
    script = command.replace("SEGMENT.tar", '"$SEGMENT"').replace("NAME.dcm", '"$NAME"')
    said = run(script, SEGMENT=segment, NAME="01KBC3N5VQ6M0J4WYE2R8T7X01.dcm", DATA_SET_OFFSET=132)
    assert said.split()[0] == hashlib.sha256(b"short").hexdigest()
