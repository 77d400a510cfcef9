"""Objects without identity: the Basic Application Level Confidentiality Profile (PS3.15 Annex E)."""

from negatoscope.domain.deidentification.errors import BurnedIn, NotDeidentifiable
from negatoscope.domain.deidentification.profile import Deidentifier
from negatoscope.domain.deidentification.source import DeidentifiedSource

__all__ = ["BurnedIn", "DeidentifiedSource", "Deidentifier", "NotDeidentifiable"]
