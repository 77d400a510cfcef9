"""The release that runs."""

from importlib import metadata
from typing import Final

VERSION: Final = metadata.version("negatoscope")
