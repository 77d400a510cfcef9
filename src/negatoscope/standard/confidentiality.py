"""What the Basic Application Level Confidentiality Profile does with each attribute (PS3.15 Annex E)."""

from enum import StrEnum
from functools import lru_cache

from negatoscope.standard._generated.confidentiality_profile import ACTIONS, REPEATING_ACTIONS


class ProfileAction(StrEnum):
    """Action codes of PS3.15 Table E.1-1a; of several the first that keeps the object conformant.

    Which of several that is depends on the Type of the attribute in its module, which an object
    does not tell: `choice` is what is conformant whichever Type it is.
    """

    DUMMY = "D"
    ZERO = "Z"
    REMOVE = "X"
    KEEP = "K"
    CLEAN = "C"
    UID = "U"
    ZERO_OR_DUMMY = "Z/D"
    REMOVE_OR_ZERO = "X/Z"
    REMOVE_OR_DUMMY = "X/D"
    REMOVE_ZERO_OR_DUMMY = "X/Z/D"
    REMOVE_ZERO_OR_UIDS = "X/Z/U*"

    @property
    def choice(self) -> "ProfileAction":
        """The one action that is conformant for Type 1, 2 and 3 alike."""
        match self:
            case self.ZERO_OR_DUMMY | self.REMOVE_OR_DUMMY | self.REMOVE_ZERO_OR_DUMMY:
                return ProfileAction.DUMMY
            case self.REMOVE_OR_ZERO:
                return ProfileAction.ZERO
            case self.REMOVE_ZERO_OR_UIDS:
                return ProfileAction.UID
            case _:
                return self


@lru_cache(maxsize=4096)
def basic_profile_action(tag: int) -> ProfileAction:
    """The action for an attribute: REMOVE for private ones, KEEP for those that Table E.1-1 leaves out."""
    if tag >> 16 & 1:
        return ProfileAction.REMOVE
    found = ACTIONS.get(tag)
    if found is None:
        found = next((code for mask, value, code in REPEATING_ACTIONS if tag & mask == value), "K")
    return ProfileAction(found)
