"""``negatoscope render``: a DICOM file as a picture."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from negatoscope.domain.viewing.attributes import Header

_KEPT_BYTES: Final = 64 << 20
"""Longest value that a picture may depend on: a lookup table, an overlay, a waveform."""
_TYPES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".jp2": "image/jp2",
}


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to; its ending says PNG, JPEG, GIF or JPEG 2000.  [default: FILE.png]",
)
@click.option("--frame", type=click.IntRange(min=1), help="Its number.  [default: the middle one]")
@click.option("--window", metavar="C,W[,FUNCTION]", help="Instead of what the file says.")
@click.option("--viewport", metavar="W,H[,X,Y,W,H]", help="Size, and region of the image.")
@click.option("--quality", type=click.IntRange(1, 100), help="Of JPEG.")
@click.option(
    "--presentation-state",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="A file whose window, area, drawings and shutters are applied.",
)
def render(  # noqa: PLR0917 - click passes them by name
    file: Path,
    output: Path | None,
    frame: int | None,
    window: str | None,
    viewport: str | None,
    quality: int | None,
    presentation_state: Path | None,
) -> int:
    """Draw a frame of a DICOM file, as the server draws it.

    Exit code 1 when the file cannot be read, or holds nothing that could be drawn.
    """
    from negatoscope.domain.viewing.attributes import make_header
    from negatoscope.domain.viewing.file_source import FileSource
    from negatoscope.protocols.dicom.dataset import DataSetError
    from negatoscope.protocols.dicom.part10 import Part10Error
    from negatoscope.protocols.dicom.pixel.errors import PixelError

    target = output or file.with_name(file.name + ".png")
    media_type = _TYPES.get(target.suffix.lower())
    if media_type is None:
        raise click.UsageError(f"{target.name} does not end in {', '.join(_TYPES)}")
    wish = {"window": _window(window), "viewport": _viewport(viewport)}
    try:
        opened = FileSource(file, bulk_threshold=_KEPT_BYTES)
        state = None
        if presentation_state is not None:
            state = FileSource(presentation_state, bulk_threshold=_KEPT_BYTES).attributes
        header = make_header(opened.attributes)
        arguments = _arguments(header, opened.transfer_syntax_uid, frame, wish, state)
        notes, body = _drawn(
            arguments | {"media_type": media_type, "quality": quality},
            opened.frame(arguments["number"]),
        )
    except OSError as error:
        raise click.ClickException(f"cannot read {file}: {error.strerror}") from error
    except (DataSetError, Part10Error, PixelError) as error:
        raise click.ClickException(f"{file}: {error.reason}") from error
    try:
        target.write_bytes(body)
    except OSError as error:
        raise click.ClickException(f"cannot write {target}: {error.strerror}") from error
    for note in notes:
        click.echo(f"note: {note}", err=True)
    click.echo(target)
    return 0


def _arguments(
    header: "Header",
    transfer_syntax_uid: str,
    frame: int | None,
    wish: dict[str, Any],
    state: Mapping[str, Any] | None,
) -> dict[str, Any]:
    from negatoscope.protocols.dicom.pixel.description import PixelDescription

    description = PixelDescription.of(header.shown)
    number = frame or (description.number_of_frames + 1) // 2
    uid = (header.shown.get("00080018") or {}).get("Value") or [""]
    return {
        "description": asdict(description),
        "transfer_syntax_uid": transfer_syntax_uid,
        "number": number,
        "may_be_last": frame is None,
        "data_set": header.of_frame(number),
        "wish": wish,
        "state": None if state is None else dict(state),
        "sop_instance_uid": uid[0],
    }


def _drawn(arguments: dict[str, Any], data: bytes) -> tuple[list[str], bytes]:
    from negatoscope.domain.viewing.pixels import PixelService
    from negatoscope.infra.sandbox import SandboxError
    from negatoscope.infra.settings import CodecSettings

    service = PixelService.open(CodecSettings(processes=1))
    try:
        value, body = service.sandbox.run("draw", arguments, (data,))
    except SandboxError as error:
        raise click.ClickException(f"it cannot be drawn: {error.reason}") from error
    finally:
        service.close()
    return value["notes"], bytes(body)


def _window(given: str | None) -> tuple[float, float, str] | None:
    if given is None:
        return None
    parts = given.split(",")
    try:
        center, width = float(parts[0]), float(parts[1])
    except (ValueError, IndexError):
        raise click.UsageError("--window is CENTER,WIDTH[,FUNCTION]") from None
    function = parts[2].upper().replace("-", "_") if len(parts) > 2 else "LINEAR"
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise click.UsageError("a window's function is linear, linear-exact or sigmoid")
    return center, width, function


def _viewport(given: str | None) -> dict[str, Any] | None:
    if given is None:
        return None
    try:
        numbers = [float(part) for part in given.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 6):
        raise click.UsageError("--viewport is WIDTH,HEIGHT[,X,Y,WIDTH,HEIGHT]")
    found: dict[str, Any] = {"width": int(numbers[0]), "height": int(numbers[1])}
    if len(numbers) == 6:
        found |= dict(zip(("x", "y", "source_width", "source_height"), numbers[2:], strict=True))
    return found
