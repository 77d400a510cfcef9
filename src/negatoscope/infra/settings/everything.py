"""Everything that can be set, and reading it from every source."""

import os
from collections.abc import Collection
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.settings.audit import AuditSettings
from negatoscope.infra.settings.codecs import CodecSettings, cores
from negatoscope.infra.settings.department import (
    DocumentSettings,
    OrderSettings,
    PatientSettings,
)
from negatoscope.infra.settings.identity import IdentitySettings
from negatoscope.infra.settings.network import HostPort, LimitsSettings
from negatoscope.infra.settings.sources import (
    DEFAULT_DATA_DIR,
    FILE_NAME,
    in_environment,
    read_file,
    source_of,
)
from negatoscope.infra.settings.storage import VolumeSettings


class Settings(BaseSettings):
    """Everything that can be set. Times in seconds, sizes in bytes, as the names say."""

    model_config = SettingsConfigDict(
        env_prefix="NEGATOSCOPE_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        env_ignore_empty=True,
        use_attribute_docstrings=True,
    )

    data_dir: Path = DEFAULT_DATA_DIR
    database_url: str | None = None
    """A PostgreSQL of your own; absent: the embedded one in the data directory."""
    http: Annotated[HostPort, NoDecode] = HostPort("127.0.0.1", 8080)
    dicom: Annotated[HostPort, NoDecode] = HostPort("127.0.0.1", 11112)
    dicom_tls: Annotated[HostPort | None, NoDecode] = None
    https: Annotated[HostPort | None, NoDecode] = None
    """HTTPS; ``http`` then only leads there, unless ``http_redirect`` is off."""
    http_redirect: bool = True
    https_certificate: Path | None = None
    """Absent: ``tls_certificate``."""
    https_key: Path | None = None
    """Absent: ``tls_key``."""
    hsts_s: int = Field(default=31_536_000, ge=0)
    """Strict-Transport-Security (RFC 6797) over HTTPS; 0 sends none."""
    hl7: Annotated[HostPort, NoDecode] = HostPort("127.0.0.1", 2575)
    hl7_tls: Annotated[HostPort | None, NoDecode] = None
    """A second MLLP address over TLS, with the certificate of `tls_certificate`; senders must have
    one of `tls_ca` when that is set."""
    hl7_senders: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Addresses or networks of the systems that may send HL7 messages."""
    hl7_max_connections: int = Field(default=64, ge=1, le=10_000)
    hl7_max_message_bytes: int = Field(default=10 << 20, ge=64 << 10, le=100 << 20)
    hl7_idle_s: float = Field(default=3600.0, gt=0)
    """A connection that sends nothing for so long is closed."""
    hl7_order_answers: tuple[str, ...] = ()
    """Sending applications (MSH-3) whose orders are answered by ORR^O02, ORG^O20 or ORI^O24 once they were
    carried out; all others get an ACK when kept, unless MSH-16 asks for an application acknowledgement."""
    hl7_order_answer_s: float = Field(default=20.0, gt=0, le=300)
    """So long such an answer waits for the order to be carried out."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None
    tls_crl: Path | None = None
    """Certificates that the authorities of ``tls_ca`` took back (PEM)."""
    tls_profile: Literal["bcp195", "bcp195-non-downgrading"] = "bcp195"
    """PS3.15 §B.12 (RFC 8996 and 9325) or its stricter §B.13."""
    public_url: str | None = None
    """Where browsers reach the HTTP side, if not at ``http``."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of reverse proxies whose Forwarded and X-Forwarded-* are believed."""
    cors_origins: tuple[str, ...] = ()
    """Origins of other sites whose scripts may call us with a token (``https://viewer.example``)."""
    time_zone: str = "Europe/Paris"
    """Of the department, a name of the IANA database: its days, its opening hours, the times on paper."""
    public_holidays: str = Field(default="FR", pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")
    """Whose: ISO 3166 country, or country and subdivision: ``FR-57`` is Alsace-Moselle. Empty: none are kept."""
    ae_title: str = "NEGATOSCOPE"
    max_pdu_bytes: int = Field(default=1 << 20, ge=4096, le=16 << 20)
    volumes: tuple[VolumeSettings, ...] = ()
    """Absent: one, ``main``, in ``<data_dir>/volumes/main``."""
    segment_max_bytes: int = Field(default=1 << 30, ge=1 << 20)
    segment_idle_s: float = Field(default=30.0, gt=0)
    prepared_segments: int = Field(default=8, ge=0, le=64)
    """Segments that each DICOM process keeps ready while nothing arrives, their space written with zeros: reception flushes less.
    Only on a volume with sixteen times that room; 0 saves the disk these writes."""
    prepared_bytes: int = Field(default=64 << 20, ge=1 << 20, le=1 << 30)
    settle_idle_s: float = Field(default=60.0, gt=0)
    mpps_destinations: tuple[str, ...] = ()
    """AE titles of registered peers that performed procedure steps are forwarded to."""
    mpps_overdue_h: float = Field(default=8.0, ge=0, le=240)
    """A performed step that is IN PROGRESS for so long is flagged for a person; 0: none is."""
    steps_as_workitems: bool = False
    """Scheduled steps are unified procedure steps, too: the worklist for clients of UPS-RS."""
    ups_retention_days: int = Field(default=90, ge=1)
    """A COMPLETED or CANCELED workitem is deleted so long after its end, unless a deletion lock
    holds it."""
    limits: LimitsSettings = LimitsSettings()
    identity: IdentitySettings = IdentitySettings()
    codecs: CodecSettings = Field(default_factory=CodecSettings)
    audit: AuditSettings = AuditSettings()
    patients: PatientSettings = PatientSettings()
    orders: OrderSettings = OrderSettings()
    documents: DocumentSettings = DocumentSettings()
    derived_max_bytes: int = Field(default=4 << 30, ge=0)
    """What was made of objects and is kept in ``<data_dir>/derived``; 0 keeps it in memory only."""
    http_workers: int = Field(default_factory=lambda: min(8, cores()), ge=1, le=64)
    """One per core, at most eight, unless set."""
    dimse_processes: int = Field(
        default_factory=lambda: max(min(2, cores()), cores() // 2), ge=1, le=64
    )
    """One per two cores unless set, but two of them on two cores; they share the port."""
    stop_grace_s: float = Field(default=30.0, ge=0)
    """How long running associations and requests may go on after SIGTERM."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"
    allow_unsafe_database: bool = False
    """Tests only: accept a server with fsync or full_page_writes off."""

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)
    _started: "Settings | None" = PrivateAttr(default=None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic calls by keyword
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, then environment; ``load`` slips the file below them."""
        return (init_settings, env_settings)

    @field_validator("ae_title")
    @classmethod
    def _valid_ae_title(cls, value: str) -> str:
        title = value.strip(" ")
        if not 1 <= len(title) <= 16 or not title.isascii() or "\\" in title:
            raise ValueError("an AE title has 1 to 16 ASCII characters, no backslash (PS3.5 §6.2)")
        if not title.isprintable():
            raise ValueError("an AE title has no control characters (PS3.5 §6.2)")
        return title

    @field_validator("public_holidays")
    @classmethod
    def _known_holidays(cls, value: str) -> str:
        if value in {"", "FR", "FR-57", "FR-6AE"}:
            return value
        from holidays import country_holidays  # slow to load: for other countries only

        country, _, subdivision = value.partition("-")
        try:
            country_holidays(country, subdiv=subdivision or None, years=2026)
        except NotImplementedError as error:
            raise ValueError(f"nothing is known of the public holidays of {value}") from error
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, ZoneInfoNotFoundError) as error:
            raise ValueError("not a time zone of the IANA database") from error
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The department's time zone."""
        return ZoneInfo(self.time_zone)

    @field_validator("trusted_proxies", "hl7_senders")
    @classmethod
    def _valid_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            ip_network(one, strict=False)
        return value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @model_validator(mode="before")
    @classmethod
    def _default_volume(cls, values: Any) -> Any:
        if isinstance(values, dict) and not values.get("volumes"):
            data_dir = Path(values.get("data_dir") or DEFAULT_DATA_DIR).expanduser().absolute()
            values["volumes"] = (VolumeSettings(name="main", path=data_dir / "volumes" / "main"),)
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [volume.name for volume in self.volumes]
        if len(set(names)) != len(names):
            raise ValueError("two volumes have the same name")
        for name in ("dicom_tls", "hl7_tls"):
            if getattr(self, name) is not None and not (self.tls_certificate and self.tls_key):
                raise ValueError(f"{name} needs tls_certificate and tls_key")
        if self.https is not None and None in self.https_files:
            raise ValueError("https needs https_certificate and https_key, or those of tls_")
        return self

    @property
    def is_https_only(self) -> bool:
        """Whether browsers reach us over TLS and not otherwise."""
        if self.public_url:
            return self.public_url.startswith("https:")
        return self.https is not None and self.http_redirect

    @property
    def https_files(self) -> tuple[Path | None, Path | None]:
        """Certificate and key of ``https``."""
        if self.https_certificate is not None or self.https_key is not None:
            return self.https_certificate, self.https_key
        return self.tls_certificate, self.tls_key

    @classmethod
    def load(cls, **overrides: object) -> Self:
        """Read every source.

        Args:
            overrides: Values of the command line; ``None`` means not given.
        Raises:
            ConfigurationError: a value cannot be used; the message names it and its source.
        """
        given = {name: value for name, value in overrides.items() if value is not None}
        data_dir = Path(
            str(given.get("data_dir") or os.environ.get("NEGATOSCOPE_DATA_DIR") or "")
            or read_file(Path(FILE_NAME)).get("data_dir", DEFAULT_DATA_DIR)
        ).expanduser()
        path = data_dir / FILE_NAME
        if not path.is_file():
            path = Path(FILE_NAME)
        in_file = read_file(path)
        merged: dict[str, Any] = {
            name: value for name, value in in_file.items() if not in_environment(name)
        }
        merged.update(given)
        if "data_dir" not in merged:
            merged["data_dir"] = data_dir
        try:
            settings = cls(**merged)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "settings"
            source = source_of(name.split(".")[0], given, in_file, path)
            reason = str(first["msg"]).removeprefix("Value error, ")
            raise ConfigurationError(
                f"setting {name} (from the {source}): {reason}",
                hint="correct it there and start again.",
            ) from error
        except SettingsError as error:
            raise ConfigurationError(
                f"the environment cannot be read: {error}",
                hint="lists are written as JSON in NEGATOSCOPE_ variables.",
            ) from error
        for name in cls.model_fields:
            settings._sources[name] = source_of(name, given, in_file, path)
        return settings

    def take_sources(self, other: "Settings", changed: Collection[str], source: str) -> None:
        """Remember where values came from: as of ``other``, but those ``changed`` from ``source``."""
        self._started = other.as_started
        self._sources.update(other._sources)
        self._sources.update(dict.fromkeys(changed, source))

    @property
    def as_started(self) -> "Settings":
        """As the process read them, before anything was changed at run time."""
        return self._started or self

    def source(self, name: str) -> str:
        """Where the value of a setting came from."""
        return self._sources.get(name, "default")
