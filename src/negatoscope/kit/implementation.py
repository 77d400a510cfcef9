"""How this implementation names itself to its peers and in the files it writes (PS3.7 §D.3.3.2)."""

from typing import Final

IMPLEMENTATION_CLASS_UID: Final = "2.25.26103482345907925160083389745216131832"
IMPLEMENTATION_VERSION_NAME: Final = "NEGATOSCOPE_01"
