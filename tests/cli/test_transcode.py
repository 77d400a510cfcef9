"""``negatoscope transcode``, its result read by strangers."""

import shutil
import subprocess

import numpy as np
import pydicom
import pytest
from click.testing import CliRunner

from negatoscope.cli.transcode import transcode
from negatoscope.standard import transfer_syntaxes as ts


def run(*arguments):
    return CliRunner().invoke(transcode, [str(one) for one in arguments], standalone_mode=True)


@pytest.mark.parametrize(
    "syntax",
    ["JPEGLSLossless", "1.2.840.10008.1.2.5", "JPEG 2000 Image Compression (Lossless Only)",
     ts.EXPLICIT_VR_BIG_ENDIAN, ts.IMPLICIT_VR_LITTLE_ENDIAN, ts.HTJ2K_LOSSLESS_RPCL],
)  # fmt: skip
def test_a_colour_file_keeps_its_pixels(shared_data, tmp_path, syntax):
    """There, and back to Explicit VR little endian, names and UIDs alike."""
    source = shared_data / "sc" / "TestPattern_RGB.dcm"
    if not source.is_file():
        source = next(
            path
            for path in sorted((shared_data / "sc").glob("*.dcm"))
            if pydicom.dcmread(path).get("PhotometricInterpretation") == "RGB"
            and pydicom.dcmread(path).file_meta.TransferSyntaxUID == ts.EXPLICIT_VR_LITTLE_ENDIAN
        )
    there, back = tmp_path / "there.dcm", tmp_path / "back.dcm"
    result = run(source, "--to", syntax, "-o", there)
    assert result.exit_code == 0, result.output
    result = run(there, "--to", "ExplicitVRLittleEndian", "-o", back)
    assert result.exit_code == 0, result.output
    before, after = pydicom.dcmread(source), pydicom.dcmread(back)
    assert np.array_equal(before.pixel_array, after.pixel_array)
    assert before.SOPInstanceUID == after.SOPInstanceUID
    assert after.PhotometricInterpretation == "RGB"
    names = {e.keyword for e in before if e.tag.group < 0x7FE0}
    assert {e.keyword for e in after if e.tag.group < 0x7FE0} == names


def test_a_lossy_copy_is_an_object_of_its_own(shared_data, tmp_path):
    """UID, type, source and the attributes of lossy compression (PS3.3 §C.7.6.1.1.5)."""
    source = shared_data / "transfer-syntaxes" / "mr4" / "MR4_JLSL.dcm"
    out = tmp_path / "lossy.dcm"
    result = run(source, "--to", ts.JPEG_2000, "-o", out)
    assert result.exit_code == 0, result.output
    before, after = pydicom.dcmread(source), pydicom.dcmread(out)
    assert after.SOPInstanceUID != before.SOPInstanceUID
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert after.ImageType[0] == "DERIVED"
    assert after.SourceImageSequence[0].ReferencedSOPInstanceUID == before.SOPInstanceUID
    assert (after.LossyImageCompression, after.LossyImageCompressionMethod) == ("01", "ISO_15444_1")
    assert float(after.LossyImageCompressionRatio) > 2
    error = np.abs(after.pixel_array.astype(int) - before.pixel_array.astype(int))
    assert error.max() <= 40


@pytest.mark.stranger
@pytest.mark.skipif(shutil.which("dcmdjpeg") is None, reason="NO DCMTK")
def test_dcmtk_reads_lossless_jpeg(shared_data, tmp_path):
    """Digest-equal after dcmdjpeg."""
    source = shared_data / "transfer-syntaxes" / "mr4" / "MR4_JLSL.dcm"
    coded, native = tmp_path / "coded.dcm", tmp_path / "native.dcm"
    assert run(source, "--to", ts.JPEG_LOSSLESS_SV1, "-o", coded).exit_code == 0
    subprocess.run(["dcmdjpeg", coded, native], check=True)
    assert np.array_equal(pydicom.dcmread(native).pixel_array, pydicom.dcmread(source).pixel_array)


def test_what_cannot_be_is_said(shared_data, tmp_path):
    """An unknown name lists what there is; what is no DICOM file and what cannot be encoded say why."""
    source = shared_data / "transfer-syntaxes" / "mr4" / "MR4_JLSL.dcm"
    unknown = run(source, "--to", "gif")
    assert unknown.exit_code == 2
    assert "HTJ2KLosslessRPCL" in unknown.output
    refused = run(source, "--to", ts.JPEG_BASELINE_8BIT, "-o", tmp_path / "x.dcm")
    assert (refused.exit_code, "at most 8 bits" in refused.output) == (1, True), refused.output
    text = tmp_path / "text.dcm"
    text.write_text("no DICOM")
    assert run(text, "--to", ts.RLE_LOSSLESS).exit_code == 1
    assert run(tmp_path / "absent", "--to", ts.RLE_LOSSLESS).exit_code == 1
    assert not list(tmp_path.glob(".negatoscope-*"))
    assert not (tmp_path / "x.dcm").exists()
