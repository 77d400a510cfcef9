"""Which studies somebody may see: the data scope, and one study's facts it is decided by.

Here is the decision about one study whose facts are known; ``negatoscope.domain.archive.visibility``
says the same as an SQL condition, for searches.
"""

from dataclasses import dataclass
from typing import Final, Optional


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFacts:
    """What a decision about a study looks at.

    Attributes:
        study_instance_uid: (0020,000D).
        patient_key: Our own key of its patient; an identifier alone names nobody.
        issuer_of_patient_id: (0010,0021), '' when absent.
        institutions: Institution Names (0008,0080) of its series.
        departments: Institutional Department Names (0008,1040) of its series.
        physicians: Referring Physician's Name (0008,0090), folded; '' when absent.
    """

    study_instance_uid: str
    patient_key: int
    issuer_of_patient_id: str = ""
    institutions: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    physician: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataScope:
    """The union of what is named here; nothing when nothing is.

    Attributes:
        everything: No restriction.
        institutions: Studies with a series of one of these.
        departments: Likewise.
        issuers: Studies of patients known by an identifier of these.
        physicians: Studies these physicians referred; names folded.
        patient_keys: Studies of these patients: in their care, their own file, by break-glass.
        studies: These.
        within: Only what this one sees too (a token sees no more than its account).
    """

    everything: bool = False
    institutions: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    issuers: frozenset[str] = frozenset()
    physicians: frozenset[str] = frozenset()
    patient_keys: frozenset[int] = frozenset()
    studies: frozenset[str] = frozenset()
    within: Optional["DataScope"] = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is hidden."""
        return self.everything and (self.within is None or self.within.is_everything)

    @property
    def is_nothing(self) -> bool:
        """Whether no study can be seen."""
        if self.within is not None and self.within.is_nothing:
            return True
        return not self.everything and not (
            self.institutions
            or self.departments
            or self.issuers
            or self.physicians
            or self.patient_keys
            or self.studies
        )

    def covers(self, study: StudyFacts) -> bool:
        """Whether a study is inside."""
        if self.within is not None and not self.within.covers(study):
            return False
        return (
            self.everything
            or study.study_instance_uid in self.studies
            or study.patient_key in self.patient_keys
            or (bool(study.issuer_of_patient_id) and study.issuer_of_patient_id in self.issuers)
            or not self.institutions.isdisjoint(study.institutions)
            or not self.departments.isdisjoint(study.departments)
            or (bool(study.physician) and study.physician in self.physicians)
        )


EVERYTHING: Final = DataScope(everything=True)
NOTHING: Final = DataScope()
