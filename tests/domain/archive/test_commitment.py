"""Storage commitment: only what was read again is committed; the answer is kept and delivered once."""

from typing import Any

import pytest

from negatoscope.domain.archive.commitment import (
    BACK_OFF_S,
    Commitment,
    Failure,
    FailureReason,
    Reference,
    Role,
)
from negatoscope.domain.archive.retrieve import Retrieval

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
VERIFICATION = "1.2.840.10008.1.1"


def ref(uid: str, sop_class: str = CT) -> Reference:
    return Reference(sop_class_uid=sop_class, sop_instance_uid=uid)


@pytest.fixture
def commitment(small_archive: Any, retrieval: Retrieval) -> Commitment:
    series = small_archive.series(small_archive.study("1.1"), "1.1.1")
    for number in (1, 2, 3):
        small_archive.instance(series, f"1.{number}", data_set=b"image %d" % number, number=number)
    return Commitment(retrieval)


def receive(commitment: Commitment, *uids: str, transaction: str = "2.25.1") -> int:
    return commitment.receive(
        ae_title="CT1", transaction_uid=transaction, references=[ref(uid) for uid in uids]
    )


def reasons(commitment: Commitment, request: int) -> dict[str, int]:
    answer = commitment.answer(request)
    assert answer is not None
    return {failure.reference.sop_instance_uid: failure.reason for failure in answer.failed}


def test_objects_whose_digest_agrees_are_committed(
    commitment: Commitment, small_archive: Any
) -> None:
    request = receive(commitment, "1.1", "1.2")
    answer = commitment.answer(request)
    assert answer is not None
    assert answer.event_type_id == 1
    assert answer.committed == (ref("1.1"), ref("1.2"))
    assert small_archive.one("SELECT count(*) FROM instance WHERE verified_at IS NOT NULL") == 2


def test_every_failure_has_its_reason(commitment: Commitment, small_archive: Any) -> None:
    """0112 absent, 0119 other class, 0122 no storage class, 0110 altered or set aside."""
    path = small_archive.segments[small_archive.segment]
    path.write_bytes(path.read_bytes().replace(b"image 3", b"imagE 3"))
    small_archive.execute(
        "INSERT INTO set_aside (reason, sop_instance_uid, study_instance_uid, series_instance_uid,"
        " calling_ae_title, sha256, segment_fk, segment_offset, size, record) VALUES "
        "('CONTENT DIFFERS', '1.2', '1.1', '1.1.1', 'CT1', '', %s, 0, 0, '{}')",
        small_archive.segment,
    )
    request = commitment.receive(
        ae_title="CT1",
        transaction_uid="2.25.1",
        references=[
            ref("1.1", MR),
            ref("1.2"),
            ref("1.3"),
            ref("1.4"),
            ref("1.5", VERIFICATION),
            ref("1.6", "1.2.3.private"),
        ],
    )
    assert reasons(commitment, request) == {
        "1.1": FailureReason.CLASS_INSTANCE_CONFLICT,
        "1.2": FailureReason.PROCESSING_FAILURE,
        "1.3": FailureReason.PROCESSING_FAILURE,
        "1.4": FailureReason.NO_SUCH_OBJECT_INSTANCE,
        "1.5": FailureReason.REFERENCED_SOP_CLASS_NOT_SUPPORTED,
        "1.6": FailureReason.REFERENCED_SOP_CLASS_NOT_SUPPORTED,
    }
    assert small_archive.one("SELECT count(*) FROM task WHERE kind = 'digest-mismatch'") == 1


def test_fewer_copies_than_the_policy_wants_commit_nothing(
    small_archive: Any, retrieval: Retrieval
) -> None:
    small_archive.instance(small_archive.series(small_archive.study("1.1"), "1.1.1"), "1.1")
    commitment = Commitment(retrieval, required_copies=2)
    request = receive(commitment, "1.1")
    assert reasons(commitment, request) == {"1.1": FailureReason.RESOURCE_LIMITATION}


def test_the_answer_is_kept_and_not_computed_again(
    commitment: Commitment, small_archive: Any
) -> None:
    request = receive(commitment, "1.1")
    first = commitment.answer(request)
    small_archive.execute("DELETE FROM instance")
    assert commitment.answer(request) == first


def test_a_request_is_worked_on_by_one_and_taken_over_after_a_crash(
    commitment: Commitment, small_archive: Any
) -> None:
    request = receive(commitment, "1.1")
    assert commitment.claim_due() is None
    small_archive.execute("UPDATE storage_commitment SET next_attempt_at = now()")
    assert commitment.claim_due() == request
    assert commitment.claim_due() is None
    commitment.let_go(request)
    assert commitment.claim_due() == request
    commitment.note_delivered(request)
    small_archive.execute("UPDATE storage_commitment SET next_attempt_at = now()")
    assert commitment.claim_due() is None


def test_delivery_backs_off_and_is_given_up_with_a_task(
    commitment: Commitment, small_archive: Any
) -> None:
    request = receive(commitment, "1.1")
    waits = []
    for _ in range(len(BACK_OFF_S) + 1):
        commitment.note_failed(request, "connection refused")
        waits.append(
            small_archive.one(
                "SELECT extract(epoch FROM next_attempt_at - now())::int FROM storage_commitment"
            )
        )
    assert waits == [pytest.approx(wait, abs=2) for wait in (*BACK_OFF_S, BACK_OFF_S[-1])]
    small_archive.execute("UPDATE storage_commitment SET requested_at = now() - interval '15 days'")
    commitment.note_failed(request, "connection refused")
    small_archive.execute("UPDATE storage_commitment SET next_attempt_at = now()")
    assert commitment.claim_due() is None
    assert small_archive.one("SELECT count(*) FROM task WHERE subject = '2.25.1'") == 1


def test_the_same_request_again_is_answered_again(
    commitment: Commitment, small_archive: Any
) -> None:
    request = receive(commitment, "1.1", "1.2")
    commitment.answer(request)
    commitment.note_delivered(request)
    small_archive.execute("DELETE FROM instance WHERE sop_instance_uid = '1.2'")
    assert receive(commitment, "1.2", "1.1", "1.1") == request
    assert reasons(commitment, request) == {"1.2": FailureReason.NO_SUCH_OBJECT_INSTANCE}
    small_archive.execute("UPDATE storage_commitment SET next_attempt_at = now()")
    assert commitment.claim_due() == request


@pytest.mark.parametrize("uids", [("1.1",), ("1.1", "1.2", "1.3"), ("1.1", "1.3")])
def test_a_transaction_uid_in_use_for_other_objects_fails_as_a_whole(
    commitment: Commitment, uids: tuple[str, ...]
) -> None:
    first = receive(commitment, "1.1", "1.2")
    second = receive(commitment, *uids)
    assert second != first
    assert reasons(commitment, second) == dict.fromkeys(
        uids, FailureReason.DUPLICATE_TRANSACTION_UID
    )
    assert reasons(commitment, first) == {}


def test_a_transaction_uid_belongs_to_its_ae(commitment: Commitment) -> None:
    receive(commitment, "1.1")
    other = commitment.receive(
        ae_title="MR1", transaction_uid="2.25.1", references=[ref("1.2"), ref("1.3")]
    )
    assert reasons(commitment, other) == {}


def test_reading_stops_when_asked_and_goes_on_later(commitment: Commitment) -> None:
    request = receive(commitment, "1.1", "1.2")
    assert commitment.answer(request, stop=lambda: True) is None
    assert reasons(commitment, request) == {}


def test_what_a_peer_answers_to_us_is_kept(commitment: Commitment, small_archive: Any) -> None:
    request, transaction = commitment.request(ae_title="VNA", references=[ref("1.1"), ref("1.2")])
    small_archive.execute("UPDATE storage_commitment SET next_attempt_at = now()")
    assert commitment.claim_due(Role.SCP) is None
    assert commitment.claim_due(Role.SCU) == request
    failed = [Failure(reference=ref("1.2"), reason=0x0213)]
    assert not commitment.take_answer(
        ae_title="OTHER", transaction_uid=transaction, committed=[ref("1.1")], failed=failed
    )
    assert commitment.take_answer(
        ae_title="VNA", transaction_uid=transaction, committed=[ref("1.1")], failed=failed
    )
    answer = commitment.answer(request)
    assert answer is not None
    assert answer.committed == (ref("1.1"),)
    assert answer.failed == (Failure(reference=ref("1.2"), reason=0x0213),)
