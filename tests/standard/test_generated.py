"""The committed tables are what the generator makes, and they cover the standard."""

import subprocess
import sys
from pathlib import Path

import pytest

from negatoscope.standard import sop_classes, tags, transfer_syntaxes, uids
from negatoscope.standard.sop_classes import SopClassKind

ROOT = Path(__file__).parents[2]


def test_committed_files_equal_what_the_generator_makes():
    """A hand edit of a generated table fails here."""
    result = subprocess.run(
        [sys.executable, ROOT / "tools" / "generate_standard.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == ""
    assert result.returncode == 0


def test_vocabulary_imports_without_the_look_up_tables():
    """Start-up of every process imports these; the large tables wait until they are asked."""
    code = (
        "import sys\n"
        "from negatoscope.standard import dimse_status, sop_classes, tags, transfer_syntaxes, uids\n"
        "print([m for m in sys.modules if m.endswith(('tag_vrs', 'tag_names', 'tag_keywords'))])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("constant", "tag", "vr"),
    [
        ("PATIENT_ID", 0x00100020, "LO"),
        ("OTHER_PATIENT_IDS_SEQUENCE", 0x00101002, "SQ"),
        ("STUDY_INSTANCE_UID", 0x0020000D, "UI"),
        ("PIXEL_DATA", 0x7FE00010, "OW"),
        ("SMALLEST_IMAGE_PIXEL_VALUE", 0x00280106, "US"),
        ("EXTENDED_OFFSET_TABLE", 0x7FE00001, "OV"),
    ],
)
def test_tag_constants_and_their_vr(constant, tag, vr):
    """Constants carry the number of PS3.6; choices give the unsigned or word alternative."""
    assert getattr(tags, constant) == tag
    assert tags.vr_for(tag) == vr


def test_repeating_groups_and_private_tags():
    """(60xx,3000) in any even group is Overlay Data; odd groups are private."""
    assert tags.keyword_for(0x60023000) == "OverlayData"
    assert tags.vr_for(0x60020010) == "US"
    assert tags.vr_for(0x60013000) == "UN"
    assert tags.vr_for(0x00090010) == "LO"
    assert tags.vr_for(0x00091000) == "UN"
    assert tags.vr_for(0x00080000) == "UL"


@pytest.mark.parametrize("text", ["0020000D", "0020000d", "(0020,000D)", "StudyInstanceUID"])
def test_a_tag_is_parsed_from_each_of_its_spellings(text):
    """PS3.18 §8.3.4.1 lets a query name an attribute by its tag or by its keyword."""
    assert tags.parse_tag(text) == tags.STUDY_INSTANCE_UID


@pytest.mark.parametrize("text", ["", "0020000G", "Nothing", "(0020,000D", "²0020000"])
def test_what_is_no_tag_is_none(text):
    """Unknown names are the caller's to refuse."""
    assert tags.parse_tag(text) is None


def test_every_transfer_syntax_is_known():
    """Registered syntaxes up to JPEG XL and HTJ2K, with the four switches that readers need."""
    for uid in ("110", "111", "112", "201", "202", "203"):
        syntax = transfer_syntaxes.TRANSFER_SYNTAXES[f"1.2.840.10008.1.2.4.{uid}"]
        assert syntax.is_encapsulated
        assert not syntax.is_implicit_vr
    assert transfer_syntaxes.TRANSFER_SYNTAXES["1.2.840.10008.1.2.8.1"].is_encapsulated
    assert transfer_syntaxes.TRANSFER_SYNTAXES["1.2.840.10008.1.2.1.98"].is_encapsulated
    for uid in ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"):
        assert transfer_syntaxes.TRANSFER_SYNTAXES[uid].is_deflated
    videos = {u for u, s in transfer_syntaxes.TRANSFER_SYNTAXES.items() if s.is_video}
    assert "1.2.840.10008.1.2.4.106.1" in videos
    assert "1.2.840.10008.1.2.4.108" in videos
    assert "1.2.840.10008.1.2.4.110" not in videos
    assert not transfer_syntaxes.TRANSFER_SYNTAXES["1.2.840.10008.1.2.2"].is_little_endian


def test_an_unknown_transfer_syntax_reads_as_explicit_little_endian():
    """Private syntaxes are kept byte for byte and indexed by their header."""
    syntax = transfer_syntaxes.transfer_syntax("1.2.3.4")
    assert not syntax.is_implicit_vr
    assert syntax.is_little_endian
    assert syntax.is_encapsulated


def test_storage_classes_are_all_there():
    """Annex B and GG of PS3.4, retired and newest; neither commitment nor the DICOMDIR."""
    for uid in (
        sop_classes.CT_IMAGE_STORAGE,
        sop_classes.NUCLEAR_MEDICINE_IMAGE_STORAGE_RETIRED,
        sop_classes.LABEL_MAP_SEGMENTATION_STORAGE,
        sop_classes.WAVEFORM_PRESENTATION_STATE_STORAGE,
        sop_classes.RT_BEAMS_DELIVERY_INSTRUCTION_STORAGE,
        sop_classes.COLOR_PALETTE_STORAGE,
    ):
        assert uid in sop_classes.STORAGE_SOP_CLASSES
    assert sop_classes.STORAGE_COMMITMENT_PUSH_MODEL not in sop_classes.STORAGE_SOP_CLASSES
    assert sop_classes.MEDIA_STORAGE_DIRECTORY not in sop_classes.STORAGE_SOP_CLASSES
    assert sop_classes.NON_PATIENT_STORAGE_SOP_CLASSES < sop_classes.STORAGE_SOP_CLASSES


def test_service_constants_are_registered_and_of_their_kind():
    """Every UID spelled out by hand is in the registry, under the service it is named after."""
    for name in dir(sop_classes):
        value = getattr(sop_classes, name)
        if name.isupper() and isinstance(value, str):
            assert value in sop_classes.SOP_CLASSES, name
    kinds = {
        sop_classes.STUDY_ROOT_FIND: SopClassKind.QUERY_RETRIEVE,
        sop_classes.MODALITY_WORKLIST_FIND: SopClassKind.WORKLIST,
        sop_classes.MODALITY_PERFORMED_PROCEDURE_STEP: SopClassKind.MPPS,
        sop_classes.UPS_PUSH: SopClassKind.UPS,
        sop_classes.BASIC_FILM_BOX: SopClassKind.PRINT,
        sop_classes.CT_IMAGE_STORAGE: SopClassKind.STORAGE,
        sop_classes.COLOR_PALETTE_STORAGE: SopClassKind.NON_PATIENT_STORAGE,
    }
    assert {uid: sop_classes.SOP_CLASSES[uid].kind for uid in kinds} == kinds
    for name in dir(uids):
        if name.isupper():
            assert uids.registered_uid(getattr(uids, name)) is not None, name
    for name in dir(transfer_syntaxes):
        value = getattr(transfer_syntaxes, name)
        if name.isupper() and isinstance(value, str):
            assert value in transfer_syntaxes.TRANSFER_SYNTAXES, name
