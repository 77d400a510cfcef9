"""Instance attributes the index has no column for, read from the stored objects."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.metadata import read_metadata
from negatoscope.domain.archive.query.model import InstanceReference
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.protocols.dicom.dataset import DataSetError

_log = structlog.get_logger(__name__)


class StoredHeaders:
    """A `HeaderReader` over the archive's reading side.

    An object that cannot be read has no attributes here: a damaged one must not fail the query
    that looks for its neighbours. Values that only a URI names are left out.
    """

    def __init__(self, retrieval: Retrieval) -> None:
        self._retrieval = retrieval

    def __call__(self, references: Sequence[InstanceReference]) -> list[Mapping[str, Any]]:
        """The headers, in the order asked for."""
        uids = [reference.sop_instance_uid for reference in references]
        found = {
            stored.sop_instance_uid: self._header(stored)
            for stored in self._retrieval.instances(sop=uids)
        }
        return [found.get(uid, {}) for uid in uids]

    def _header(self, stored: StoredInstance) -> Mapping[str, Any]:
        try:
            with self._retrieval.open(stored) as member:
                header = read_metadata(member, base="")
        except (RetrieveError, DataSetError) as error:
            _log.warning(
                "query.header_unreadable",
                sop_instance_uid=stored.sop_instance_uid,
                error=type(error).__name__,
            )
            return {}
        return {tag: element for tag, element in header.items() if "BulkDataURI" not in element}
