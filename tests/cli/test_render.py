"""``negatoscope render``: a picture of a file, without an archive."""

from pathlib import Path

from click.testing import CliRunner
from PIL import Image

from negatoscope.cli.render import render


def test_a_file_becomes_a_picture(shared_data: Path, tmp_path: Path) -> None:
    """The ending says which kind; size and window as asked."""
    out = tmp_path / "picture.png"
    arguments = ["--viewport", "64,64", "--window", "40,400", "-o", str(out)]
    found = CliRunner().invoke(
        render, [str(shared_data / "ct/single/CT_small.dcm"), *arguments], catch_exceptions=False
    )
    assert found.exit_code == 0, found.output
    assert Image.open(out).size == (64, 64)


def test_what_is_no_image_is_an_error(shared_data: Path, tmp_path: Path) -> None:
    """With a reason, and no file left."""
    out = tmp_path / "picture.png"
    found = CliRunner().invoke(render, [str(shared_data / "MANIFEST.tsv"), "-o", str(out)])
    assert found.exit_code == 1
    assert not out.exists()


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    """Said in a sentence."""
    empty = tmp_path / "empty.dcm"
    empty.touch()
    found = CliRunner().invoke(render, [str(empty)])
    assert (found.exit_code, "empty" in found.output) == (1, True)
    assert not isinstance(found.exception, ValueError)
