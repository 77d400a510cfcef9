"""What is refused about a performed procedure step (PS3.4 §F.7.2, PS3.7 Annex C)."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from negatoscope.standard.dimse_status import Status

NO_LONGER_UPDATED: Final = 0xA710
"""Error ID (0000,0903) of Table F.7.2-2."""
STATUSES: Final[Mapping[int, str]] = MappingProxyType(
    {
        Status.SUCCESS: "Done, and durable",
        Status.INVALID_ATTRIBUTE_VALUE: "N-CREATE with another status than IN PROGRESS; a status"
        " that is none; a date or time that is none",
        Status.PROCESSING_FAILURE: "N-SET of a step that is COMPLETED or DISCONTINUED, with Error ID"
        " A710; a data set that cannot be read",
        Status.DUPLICATE_SOP_INSTANCE: "N-CREATE of a SOP Instance UID that is known",
        Status.NO_SUCH_OBJECT_INSTANCE: "N-SET or N-GET of one that is not",
        Status.INVALID_OBJECT_INSTANCE: "The SOP Instance UID is none",
        Status.NO_SUCH_SOP_CLASS: "Another SOP class than Modality Performed Procedure Step",
        Status.MISSING_ATTRIBUTE: "An attribute of type 1 is missing",
        Status.MISSING_ATTRIBUTE_VALUE: "An attribute of type 1 is empty",
        Status.NOT_AUTHORIZED: "The calling AE title may not send performed procedure steps",
        Status.RESOURCE_LIMITATION: "The data set is longer than is taken, or no database answers",
    }
)
"""Every status of the service, for the conformance statement."""


class MppsError(Exception):
    """The request is refused.

    Args:
        status: Of PS3.7 Annex C.
        comment: For Error Comment (0000,0902), no patient data.
        offending: Tags the refusal is about.
        error_id: For Error ID (0000,0903).
    """

    def __init__(
        self,
        status: int,
        comment: str,
        *,
        offending: Sequence[int] = (),
        error_id: int | None = None,
    ) -> None:
        super().__init__(comment)
        self.status = int(status)
        self.comment = comment[:64]
        self.offending = tuple(offending)
        self.error_id = error_id
