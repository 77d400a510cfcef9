"""What the program is told: defaults, ``negatoscope.toml``, environment, command line.

Later sources win: default, file, environment (``NEGATOSCOPE_*``, nested names joined by ``__``),
command line. The file is ``<data directory>/negatoscope.toml`` or, when there is none,
``./negatoscope.toml``. ``Settings.load`` remembers where every value came from, for
``negatoscope doctor``.
"""

from negatoscope.infra.settings.audit import MIN_AUDIT_DAYS, AuditSettings, AuditSinkSettings
from negatoscope.infra.settings.codecs import CodecSettings
from negatoscope.infra.settings.department import (
    DocumentSettings,
    OrderSettings,
    PatientSettings,
    PrinterSettings,
)
from negatoscope.infra.settings.everything import Settings
from negatoscope.infra.settings.identity import IdentitySettings, ProviderSettings, RoleRule
from negatoscope.infra.settings.network import HostPort, LimitsSettings
from negatoscope.infra.settings.sources import DEFAULT_DATA_DIR, FILE_NAME
from negatoscope.infra.settings.storage import VolumeSettings

__all__ = [
    "DEFAULT_DATA_DIR",
    "FILE_NAME",
    "MIN_AUDIT_DAYS",
    "AuditSettings",
    "AuditSinkSettings",
    "CodecSettings",
    "DocumentSettings",
    "HostPort",
    "IdentitySettings",
    "LimitsSettings",
    "OrderSettings",
    "PatientSettings",
    "PrinterSettings",
    "ProviderSettings",
    "RoleRule",
    "Settings",
    "VolumeSettings",
]
