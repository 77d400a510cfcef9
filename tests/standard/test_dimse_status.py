"""Statuses: categories by range, meanings by service."""

import pynetdicom.status as stranger
import pytest

from negatoscope.standard.dimse_status import (
    GENERAL_STATUSES,
    ServiceClass,
    Status,
    StatusCategory,
    category,
    meaning,
    status_row,
)

THEIRS = {
    ServiceClass.STORAGE: stranger.STORAGE_SERVICE_CLASS_STATUS,
    ServiceClass.FIND: stranger.QR_FIND_SERVICE_CLASS_STATUS,
    ServiceClass.MOVE: stranger.QR_MOVE_SERVICE_CLASS_STATUS,
    ServiceClass.GET: stranger.QR_GET_SERVICE_CLASS_STATUS,
    ServiceClass.WORKLIST: stranger.MODALITY_WORKLIST_SERVICE_CLASS_STATUS,
    ServiceClass.UPS: stranger.UNIFIED_PROCEDURE_STEP_SERVICE_CLASS_STATUS,
    ServiceClass.PRINT: stranger.PRINT_JOB_MANAGEMENT_SERVICE_CLASS_STATUS,
}


@pytest.mark.parametrize("service", THEIRS)
def test_every_code_of_another_toolkit_is_in_our_table_under_the_same_category(service):
    """pynetdicom's tables of the same annexes are the second opinion."""
    for code, (their_category, _meaning) in THEIRS[service].items():
        row = status_row(code, service)
        assert row is not None, hex(code)
        assert row.category.lower() == their_category.lower()
        assert category(code) is row.category


def test_a_service_gives_a_code_its_own_meaning():
    """0110 in MPPS says that a final step may not change (PS3.4 §F.7.2.2.3)."""
    assert "no longer be updated" in meaning(0x0110, ServiceClass.MPPS)
    assert meaning(0x0110) == "processing failure"
    assert meaning(0xA7AB, ServiceClass.STORAGE) == "refused: out of resources"
    assert meaning(0xC301, ServiceClass.UPS) == "the correct Transaction UID was not provided"


def test_named_codes_have_a_category_and_general_rows_cite_the_standard():
    """Each named code falls in the range the standard gives it."""
    assert category(Status.SUCCESS) is StatusCategory.SUCCESS
    assert category(Status.CANCEL) is StatusCategory.CANCEL
    assert category(Status.PENDING_WARNING) is StatusCategory.PENDING
    assert category(Status.ATTRIBUTE_LIST_ERROR) is StatusCategory.WARNING
    assert category(Status.COERCION_OF_DATA_ELEMENTS) is StatusCategory.WARNING
    assert category(Status.OUT_OF_RESOURCES) is StatusCategory.FAILURE
    assert category(0x7777) is StatusCategory.FAILURE
    assert all(row.source.startswith("PS3.") for row in GENERAL_STATUSES)
