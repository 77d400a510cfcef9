"""Headers of stored instances, for queries that ask for attributes the index has no column for."""

from collections.abc import Mapping, Sequence
from typing import Any

from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.metadata import NO_BASE, read_metadata
from negatoscope.domain.archive.query import HeaderReader, InstanceReference
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.protocols.dicom.dataset import DataSetError


def header_reader(retrieval: Retrieval, *, base: str = NO_BASE) -> HeaderReader:
    """A reader for ``query.search``.

    Args:
        retrieval: The archive's reading side.
        base: Address of the DICOMweb service, for bulk data URIs.
    """

    def read(references: Sequence[InstanceReference]) -> Sequence[Mapping[str, Any]]:
        wanted = [reference.sop_instance_uid for reference in references]
        headers: dict[str, Mapping[str, Any]] = {}
        for stored in retrieval.instances(sop=wanted):
            try:
                with retrieval.open(stored) as member:
                    header = read_metadata(member, base=base)
                if stored.identity is not None:
                    header = stored.identity.apply(header)
                headers[stored.sop_instance_uid] = header
            except (RetrieveError, DataSetError):
                continue
        return [headers.get(uid, {}) for uid in wanted]

    return read
