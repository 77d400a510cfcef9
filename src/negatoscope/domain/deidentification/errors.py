"""Why an object is not given without identity.

NotDeidentifiable
└── BurnedIn        its pixels tell whose they are
"""


class NotDeidentifiable(Exception):
    """The object cannot be de-identified.

    Attributes:
        reason: A sentence without anything of the patient.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BurnedIn(NotDeidentifiable):
    """Burned In Annotation (0028,0301) is YES (PS3.15 §E.3.1: cleaning pixels is an option not taken)."""
