"""Data sets of the Storage Commitment Push Model: action and event information (PS3.4 §J.3.2, §J.3.3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from negatoscope.domain.archive.commitment import Answer, Failure, FailureReason, Reference
from negatoscope.kit.uid import is_valid_uid
from negatoscope.protocols.dicom.dataset import DataSetError, decode, encode
from negatoscope.standard import tags
from negatoscope.standard.dimse_status import Status

LIMIT_BYTES: Final = 16 << 20
"""Of one data set."""

MAX_REFERENCES: Final = 100_000


class InformationError(Exception):
    """The action or event information cannot be used.

    Attributes:
        status: To answer.
        comment: Error Comment (0000,0902).
    """

    def __init__(self, status: Status, comment: str) -> None:
        super().__init__(comment)
        self.status = status
        self.comment = comment


@dataclass(frozen=True, slots=True, kw_only=True)
class Information:
    """What an N-ACTION asks or an N-EVENT-REPORT says.

    Attributes:
        transaction_uid: Transaction UID (0008,1195).
        references: Referenced SOP Sequence (0008,1199): asked for, or committed.
        failures: Failed SOP Sequence (0008,1198).
    """

    transaction_uid: str
    references: tuple[Reference, ...]
    failures: tuple[Failure, ...] = ()


def read_information(data_set: bytes, transfer_syntax_uid: str) -> Information:
    """Read action or event information.

    Raises:
        InformationError: something mandatory is missing, or it cannot be read.
    """
    try:
        attributes: dict[str, Any] = decode(data_set, transfer_syntax_uid)
    except DataSetError as error:
        raise InformationError(Status.PROCESSING_FAILURE, error.reason) from error
    if f"{tags.TRANSACTION_UID:08X}" not in attributes:
        raise InformationError(Status.MISSING_ATTRIBUTE, "no Transaction UID")
    transaction_uid = _text(attributes, tags.TRANSACTION_UID)
    if not transaction_uid:
        raise InformationError(Status.MISSING_ATTRIBUTE_VALUE, "no Transaction UID")
    if not is_valid_uid(transaction_uid):
        raise InformationError(Status.INVALID_ATTRIBUTE_VALUE, "Transaction UID is no UID")
    references = tuple(_references(_items(attributes, tags.REFERENCED_SOP_SEQUENCE)))
    failed = _items(attributes, tags.FAILED_SOP_SEQUENCE)
    failures = tuple(
        Failure(reference=reference, reason=_reason(item))
        for item, reference in zip(failed, _references(failed), strict=True)
    )
    if not references and not failures:
        raise InformationError(Status.MISSING_ATTRIBUTE, "no object is referenced")
    if len(references) + len(failures) > MAX_REFERENCES:
        raise InformationError(Status.RESOURCE_LIMITATION, f"more than {MAX_REFERENCES} objects")
    return Information(transaction_uid=transaction_uid, references=references, failures=failures)


def action_information(
    transaction_uid: str, references: Iterable[Reference], transfer_syntax_uid: str
) -> bytes:
    """What we ask (PS3.4 Table J.3-1)."""
    return encode(
        {
            f"{tags.TRANSACTION_UID:08X}": {"vr": "UI", "Value": [transaction_uid]},
            f"{tags.REFERENCED_SOP_SEQUENCE:08X}": _sequence(map(_item, references)),
        },
        transfer_syntax_uid,
    )


def event_information(answer: Answer, transfer_syntax_uid: str, *, ae_title: str) -> bytes:
    """What we answer (PS3.4 Table J.3-2).

    Args:
        answer: The outcome.
        transfer_syntax_uid: Of the context.
        ae_title: Ours: where the objects can be retrieved.
    """
    information: dict[str, Any] = {
        f"{tags.TRANSACTION_UID:08X}": {"vr": "UI", "Value": [answer.transaction_uid]}
    }
    if answer.committed:
        information[f"{tags.RETRIEVE_AE_TITLE:08X}"] = {"vr": "AE", "Value": [ae_title]}
        information[f"{tags.REFERENCED_SOP_SEQUENCE:08X}"] = _sequence(map(_item, answer.committed))
    if answer.failed:
        information[f"{tags.FAILED_SOP_SEQUENCE:08X}"] = _sequence(
            _item(failure.reference)
            | {f"{tags.FAILURE_REASON:08X}": {"vr": "US", "Value": [failure.reason]}}
            for failure in answer.failed
        )
    return encode(information, transfer_syntax_uid)


def _items(attributes: Mapping[str, Any], tag: int) -> list[Mapping[str, Any]]:
    return [item for item in attributes.get(f"{tag:08X}", {}).get("Value", ()) if item]


def _references(items: Iterable[Mapping[str, Any]]) -> Iterable[Reference]:
    for item in items:
        sop_instance_uid = _text(item, tags.REFERENCED_SOP_INSTANCE_UID)
        if not sop_instance_uid:
            raise InformationError(Status.MISSING_ATTRIBUTE_VALUE, "an item names no instance")
        if len(sop_instance_uid) > 64 or "\0" in sop_instance_uid:
            raise InformationError(Status.INVALID_ATTRIBUTE_VALUE, "an item names no UID")
        yield Reference(
            sop_class_uid=_text(item, tags.REFERENCED_SOP_CLASS_UID)[:64].replace("\0", ""),
            sop_instance_uid=sop_instance_uid,
        )


def _reason(item: Mapping[str, Any]) -> int:
    values = item.get(f"{tags.FAILURE_REASON:08X}", {}).get("Value", ())
    found = next(iter(values), None)
    return found if isinstance(found, int) else FailureReason.PROCESSING_FAILURE


def _text(attributes: Mapping[str, Any], tag: int) -> str:
    values = attributes.get(f"{tag:08X}", {}).get("Value", ())
    return str(next(iter(values), "") or "").strip()


def _item(reference: Reference) -> dict[str, Any]:
    return {
        f"{tags.REFERENCED_SOP_CLASS_UID:08X}": {"vr": "UI", "Value": [reference.sop_class_uid]},
        f"{tags.REFERENCED_SOP_INSTANCE_UID:08X}": {
            "vr": "UI",
            "Value": [reference.sop_instance_uid],
        },
    }


def _sequence(items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"vr": "SQ", "Value": list(items)}
