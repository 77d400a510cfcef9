"""``negatoscope transcode``: a DICOM file in another transfer syntax."""

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from negatoscope.protocols.dicom.pixel.rewrite import Changes


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--to", "syntax", required=True, help="UID, name or keyword of a transfer syntax.")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Default: beside FILE, its name followed by the syntax.",
)
@click.option(
    "--quality",
    type=click.IntRange(0, 1000),
    help="Of lossy syntaxes: JPEG 1-100, JPEG 2000 decibel, JPEG-LS largest error.",
)
def transcode(file: Path, syntax: str, output: Path | None, quality: int | None) -> int:
    """Write a DICOM file in another transfer syntax.

    Every element stays as it is but those that describe how pixels are coded. A syntax that loses
    something makes another object: it gets a SOP Instance UID of its own.
    """
    from negatoscope.domain.viewing.file_source import FileSource
    from negatoscope.domain.viewing.pixels import PixelsBusy, PixelService
    from negatoscope.domain.viewing.transcoding import Transcoder, TranscodingFailed
    from negatoscope.infra.settings import CodecSettings
    from negatoscope.protocols.dicom.dataset import DataSetError
    from negatoscope.protocols.dicom.part10 import Part10Error

    uid = _syntax(syntax)
    output = output or file.with_name(f"{file.stem}.{uid}.dcm")
    pixels = PixelService.open(CodecSettings(processes=1))
    try:
        source = FileSource(file)
        changes = _of_new_object(source) if _loses(source, uid) else None
        head = source.file_meta(uid, changes)
        pieces = Transcoder(pixels=pixels).data_set(source, uid, quality=quality, extra=changes)
        descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=".negatoscope-")
        try:
            with os.fdopen(descriptor, "wb") as written:
                written.write(head)
                for piece in pieces:
                    written.write(piece)
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(output)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise click.ClickException(
            f"cannot transcode {file}: {error.strerror}\nHINT: look at both paths and their rights."
        ) from error
    except (Part10Error, DataSetError, TranscodingFailed, PixelsBusy) as error:
        raise click.ClickException(
            f"{file} cannot be transcoded: {error}\nHINT: `negatoscope dump {file}` shows what it holds."
        ) from error
    finally:
        pixels.close()
    click.echo(str(output))
    return 0


def _syntax(text: str) -> str:
    """The UID that a person means."""
    from negatoscope.protocols.dicom.pixel.codecs import CODECS
    from negatoscope.standard.transfer_syntaxes import TRANSFER_SYNTAXES

    wanted = _plain(text)
    for uid, syntax in TRANSFER_SYNTAXES.items():
        if wanted in {_plain(uid), _plain(syntax.name), _plain(syntax.keyword)} and text.strip():
            return uid
    names = [
        f"  {uid:<24} {TRANSFER_SYNTAXES[uid].keyword}"
        for uid, codec in CODECS.items()
        if codec.encode is not None
    ]
    raise click.UsageError(
        f"{text!r} is no transfer syntax. These can be written:\n" + "\n".join(names)
    )


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", text.lower())


def _loses(source: object, uid: str) -> bool:
    from negatoscope.protocols.dicom.pixel.codecs import is_lossy

    return is_lossy(uid) and getattr(source, "transfer_syntax_uid", None) != uid


def _of_new_object(source: object) -> "Changes":
    """A derived object (PS3.3 §C.7.6.1.1.2, §C.7.6.1.1.3): UID, type and where it comes from."""
    from negatoscope.kit.uid import new_uid

    attributes = source.attributes  # type: ignore[attr-defined]
    kinds = (attributes.get("00080008") or {}).get("Value") or ["DERIVED", "PRIMARY"]
    referenced = {
        key[-4:]: attributes[key] for key in ("00080016", "00080018") if key in attributes
    }
    item = {
        "00081150": {"vr": "UI", "Value": referenced["0016"]["Value"]},
        "00081155": {"vr": "UI", "Value": referenced["0018"]["Value"]},
    }
    return {
        "00080000": None,
        "00080008": {"vr": "CS", "Value": ["DERIVED", *kinds[1:]]},
        "00080018": {"vr": "UI", "Value": [new_uid()]},
        "00082112": {"vr": "SQ", "Value": [item]},
    }


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
