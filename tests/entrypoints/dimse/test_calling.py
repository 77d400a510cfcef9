"""What is asked of other application entities: identifiers and presentation contexts."""

from negatoscope.entrypoints.dimse.calling import (
    EXPLICIT,
    USUAL_CLASSES,
    USUAL_SYNTAXES,
    get_contexts,
    identifier_of,
)
from negatoscope.protocols.dicom.dataset import decode, encode
from negatoscope.standard.sop_classes import STORAGE_SOP_CLASSES
from negatoscope.standard.transfer_syntaxes import TRANSFER_SYNTAXES


def test_contexts_fit_into_one_association() -> None:
    """One class gets every syntax, several share the room, more classes than room get one each; we are SCP of all."""
    for classes in (
        USUAL_CLASSES[:1],
        USUAL_CLASSES[:3],
        USUAL_CLASSES,
        sorted(STORAGE_SOP_CLASSES),
    ):
        contexts = get_contexts(classes)
        assert len(contexts) <= 127
        assert all(context.scp_role and not context.scu_role for context in contexts)
        assert {context.transfer_syntaxes[0] for context in contexts} >= {EXPLICIT}
        assert {context.abstract_syntax for context in contexts} == set(classes[:127])
    asked = {context.transfer_syntaxes[0] for context in get_contexts(USUAL_CLASSES[:1])}
    assert asked == set(TRANSFER_SYNTAXES)


def test_usual_syntaxes_and_classes_are_of_the_standard() -> None:
    """No slip of the pen in the lists."""
    assert set(USUAL_SYNTAXES) <= set(TRANSFER_SYNTAXES)
    assert len(set(USUAL_SYNTAXES)) == len(USUAL_SYNTAXES)
    assert set(USUAL_CLASSES) <= STORAGE_SOP_CLASSES


def test_an_identifier_reads_back_as_it_was_meant() -> None:
    """Names, lists of UIDs, numbers, letters beyond ASCII, keys without value."""
    identifier = identifier_of(
        "STUDY",
        {0x00100010: "Lefèvre*", 0x0020000D: "1.2\\1.3", 0x00201208: "12", 0x00081030: ""},
    )
    again = decode(encode(identifier, EXPLICIT), EXPLICIT)
    assert again["00080052"]["Value"] == ["STUDY"]
    assert again["00080005"]["Value"] == ["ISO_IR 192"]
    assert again["00100010"]["Value"] == [{"Alphabetic": "Lefèvre*"}]
    assert again["0020000D"]["Value"] == ["1.2", "1.3"]
    assert again["00201208"]["Value"] == [12]
    assert "Value" not in again["00081030"]
