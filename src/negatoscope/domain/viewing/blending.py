"""Which two frames stand for a Blending Softcopy Presentation State (PS3.3 §C.11.14).

A state names two sets of images. The picture is the middle underlying frame, or the one next to it,
that a superimposed frame passes through.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from negatoscope.domain.archive.retrieve import Retrieval, Selection
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.viewing.attributes import Header
from negatoscope.protocols.dicom.pixel.display import NotDisplayable
from negatoscope.protocols.dicom.pixel.display.attributes import FrameAttributes, text
from negatoscope.protocols.dicom.pixel.display.blending import (
    Blending,
    Plane,
    Registration,
    frames_of,
    is_monochrome,
)
from negatoscope.standard import tags

BLENDING_STATE: Final = "1.2.840.10008.5.1.4.1.1.11.4"
MAX_FRAMES: Final = 4000
"""Frames of one of the sets that are looked at."""

ReadHeader = Callable[[StoredInstance], Header]


class Shown(NamedTuple):
    """One frame of an input."""

    stored: StoredInstance
    frame: int


class Pair(NamedTuple):
    """What a state is shown with, and the Spatial Registrations between them."""

    underlying: Shown
    superimposed: Shown
    registrations: tuple[Mapping[str, Any], ...]


class Pairs:
    """Finds pairs.

    Args:
        retrieval: The archive's reading side.
        read: The header of a stored object.
    """

    def __init__(self, retrieval: Retrieval, read: ReadHeader) -> None:
        self._retrieval = retrieval
        self._read = read

    def find(self, study: str, data_set: Mapping[str, Any]) -> Pair:
        """The two frames for a state.

        Args:
            study: Study Instance UID of the state: who may see it need not see other studies.
            data_set: The state.
        Raises:
            NotDisplayable: there are none, with the reason.
            RetrieveError: an object cannot be read.
            DataSetError: likewise.
        """
        blending = Blending.read(data_set)
        registrations = [self._registration(study, uid) for uid in blending.registrations]
        matrices = [Registration.read(one) for one in registrations]
        below = self._input(study, blending.underlying, "underlying")
        above = [
            (shown, plane)
            for shown in self._input(study, blending.superimposed, "superimposed")
            if (plane := self._plane(shown, matrices)) is not None
        ]
        if not above:
            raise NotDisplayable("the superimposed images do not say where they lie")
        is_placed = False
        for shown in _from_the_middle(below):
            plane = self._plane(shown, matrices)
            if plane is None:
                continue
            is_placed = True
            near = [
                (distance, at)
                for at, (_, other) in enumerate(above)
                if (distance := plane.distance_mm(other)) is not None
            ]
            if near and plane.reaches(above[min(near)[1]][1]):
                return Pair(shown, above[min(near)[1]][0], tuple(registrations))
        if not is_placed:
            raise NotDisplayable("the underlying images do not say where they lie")
        raise NotDisplayable(
            "no superimposed image lies in the plane of an underlying one: another frame of "
            "reference without a registration, or another orientation"
        )

    def _registration(self, study: str, uid: str) -> Mapping[str, Any]:
        stored = self._retrieval.find(uid, study=study)
        if stored is None:
            raise NotDisplayable("the Spatial Registration of the state is not in its study")
        return self._read(stored).data_set or {}

    def _input(self, study: str, item: Mapping[str, Any], name: str) -> list[Shown]:
        if text(item, tags.STUDY_INSTANCE_UID) not in (None, study):
            raise NotDisplayable(f"the {name} images are in another study than the state")
        found: list[Shown] = []
        for stored, frames in self._instances(study, frames_of(item)):
            if not stored.rows or not stored.columns:
                continue
            if not is_monochrome(self._read(stored).shown):
                raise NotDisplayable(f"the {name} images have colours of their own")
            count = stored.number_of_frames or 1
            wanted = [one for one in frames if 0 < one <= count] or range(1, count + 1)
            if len(found) + len(wanted) > MAX_FRAMES:
                raise NotDisplayable(f"the {name} images have more than {MAX_FRAMES} frames")
            found += [Shown(stored, one) for one in wanted]
        if not found:
            raise NotDisplayable(f"none of the {name} images is in the study of the state")
        return found

    def _instances(
        self, study: str, named: Mapping[str, Mapping[str, list[int]]]
    ) -> Iterator[tuple[StoredInstance, list[int]]]:
        for series, images in named.items():
            selection = Selection(study=(study,), series=(series,))
            for stored in self._retrieval.select(selection, frame_index=True):
                if not images or stored.sop_instance_uid in images:
                    yield stored, images.get(stored.sop_instance_uid, [])

    def _plane(self, shown: Shown, registrations: list[Registration]) -> Plane | None:
        header = self._read(shown.stored)
        plane = Plane.read(FrameAttributes(header.of_frame(shown.frame), shown.frame))
        for registration in registrations:
            plane = plane and plane.moved(registration)
        return plane


def _from_the_middle(frames: list[Shown]) -> Iterator[Shown]:
    middle = len(frames) // 2
    for distance in range(len(frames)):
        if middle + distance < len(frames):
            yield frames[middle + distance]
        if distance and middle - distance >= 0:
            yield frames[middle - distance]
