"""What can be wrong with a data set. All are the sender's fault; nothing else is raised.

    DataSetError
    ├── BadElement            an element that the standard does not allow or that lies
    ├── TruncatedDataSet      the bytes end inside an element
    ├── LimitExceeded
    │   ├── NestingTooDeep
    │   ├── TooManyElements
    │   ├── TooManyItems
    │   ├── TooManyFragments
    │   └── InflateBomb
    ├── ValueNotFound         a path that names nothing in the data set
    └── NotEncodable          DICOM JSON that has no binary form

Messages carry tags, offsets and counts; never a value, which could be a patient's name.
"""

from negatoscope.standard.tags import format_tag


class DataSetError(Exception):
    """Base of everything that reading or writing a data set raises.

    Attributes:
        reason: What is wrong, for a log and for an error comment.
        offset: Byte of the (inflated) data set where it was seen; None when not at one byte.
    """

    def __init__(self, reason: str, *, offset: int | None = None, tag: int | None = None) -> None:
        place = f" of {format_tag(tag)}" if tag is not None else ""
        place += f" at byte {offset}" if offset is not None else ""
        self.reason = reason + place
        self.offset = offset
        super().__init__(self.reason)


class BadElement(DataSetError):
    """An element that the standard does not allow, or whose length cannot be true."""


class TruncatedDataSet(DataSetError):
    """The data set ends inside an element, item, fragment or deflate stream."""


class LimitExceeded(DataSetError):
    """The data set asks for more than one object may cost."""


class NestingTooDeep(LimitExceeded):
    """Sequences within sequences beyond `ScanLimits.depth`."""


class TooManyElements(LimitExceeded):
    """Elements beyond `ScanLimits.elements`."""


class TooManyItems(LimitExceeded):
    """Sequence items beyond `ScanLimits.items`."""


class TooManyFragments(LimitExceeded):
    """Fragments of encapsulated pixel data beyond `ScanLimits.fragments`."""


class InflateBomb(LimitExceeded):
    """A deflated data set that grows beyond its size or ratio cap."""


class ValueNotFound(DataSetError):
    """The path names no value of this data set."""


class NotEncodable(DataSetError):
    """A DICOM JSON value that its value representation cannot hold."""
