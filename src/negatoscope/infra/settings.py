"""What the program is told: defaults, ``negatoscope.toml``, environment, command line.

Later sources win: default, file, environment (``NEGATOSCOPE_*``, nested names joined by ``__``),
command line. The file is ``<data directory>/negatoscope.toml`` or, when there is none,
``./negatoscope.toml``. ``Settings.load`` remembers where every value came from, for
``negatoscope doctor``.
"""

import os
import tomllib
from collections.abc import Collection, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from negatoscope.infra.errors import ConfigurationError
from negatoscope.kit.numbering import check_pattern

FILE_NAME = "negatoscope.toml"
DEFAULT_DATA_DIR = Path("negatoscope-data")


class HostPort(NamedTuple):
    """Where to listen: ``127.0.0.1:8080``, ``[::1]:8080``, ``:8080`` (every interface)."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``HOST:PORT``.

        Raises:
            ValueError: no port, or one outside 0–65535.
        """
        host, colon, port = text.strip().rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError(f"{text!r} is not HOST:PORT")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise ValueError(f"{text!r}: write an IPv6 address as [ADDRESS]:PORT")
        return cls(host or "0.0.0.0", int(port))  # noqa: S104 - ":8080" asks for every interface

    def __str__(self) -> str:
        """The text ``parse`` reads."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic take the text, the pair or the value itself."""

        def validate(value: object) -> HostPort:
            if isinstance(value, HostPort):
                return value
            if isinstance(value, str):
                return HostPort.parse(value)
            raise ValueError("expected HOST:PORT")

        return core_schema.no_info_plain_validator_function(
            validate, serialization=core_schema.to_string_ser_schema()
        )


MIN_AUDIT_DAYS: Final = 185
"""Six rolling months."""

_ROLES = Literal[
    "administrator",
    "radiologist",
    "technologist",
    "secretary",
    "identity-manager",
    "clinician",
    "physicist",
    "partner",
    "patient",
]


class VolumeSettings(BaseModel):
    """A place where segments are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")
    path: Path
    low_watermark_bytes: int = Field(default=1 << 30, ge=0)
    """Free space below which the volume refuses new objects (A700); nothing is ever deleted."""
    low_watermark_percent: float = Field(default=0.0, ge=0, lt=100)
    """The same as a share of the file system; the larger of both holds."""

    def watermark_bytes(self, total_bytes: int) -> int:
        """Free bytes that must remain on a file system of ``total_bytes``."""
        return max(self.low_watermark_bytes, int(total_bytes * self.low_watermark_percent / 100))


class LimitsSettings(BaseModel):
    """What one peer, and all peers together, may take."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    max_associations: int = Field(default=200, ge=1)
    max_associations_per_peer: int = Field(default=50, ge=1)
    max_half_open: int = Field(default=512, ge=1)
    """Sockets that have not finished their A-ASSOCIATE-RQ, all peers together."""
    max_half_open_per_peer: int = Field(default=64, ge=1)
    artim_timeout_s: float = Field(default=30.0, gt=0)
    """PS3.8 §9.1.5: from the connection to the A-ASSOCIATE-RQ, from the release to the close."""
    dimse_timeout_s: float = Field(default=60.0, gt=0)
    """Between two fragments of one message, and for a peer's answer."""
    idle_timeout_s: float = Field(default=600.0, gt=0)
    """Between two messages on an association."""
    max_query_results: int = Field(default=100_000, ge=1)
    """Matches of one C-FIND before it is refused."""


class CodecSettings(BaseModel):
    """Workers that decode and encode pixels, of each process that needs some."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    processes: int = Field(default_factory=lambda: max(2, min(8, _cores() // 2)), ge=1, le=64)
    """Workers of one process; one per two cores, at least two, unless set."""
    memory_bytes: int = Field(default=2 << 30, ge=128 << 20)
    """What one frame may take beyond the libraries themselves."""
    cpu_s: float = Field(default=20.0, gt=0)
    wall_s: float = Field(default=30.0, gt=0)
    output_bytes: int = Field(default=1 << 30, ge=1 << 20)
    """Longest result of one frame."""


class AuditSinkSettings(BaseModel):
    """An audit repository (IHE ATNA) that is told of every event."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")
    host: str = Field(min_length=1, max_length=255)
    port: int = Field(default=6514, ge=1, le=65535)
    transport: Literal["tls", "tcp", "udp"] = "tls"
    """RFC 5425, RFC 6587 with octet counting, RFC 5426."""
    ca: Path | None = None
    """Whom the repository's certificate must be signed by; absent: the system's authorities."""
    certificate: Path | None = None
    """Ours, when the repository asks for one (ITI-19); with ``key``."""
    key: Path | None = None
    server_name: str | None = None
    """The name in its certificate, if not ``host``."""


class AuditSettings(BaseModel):
    """The audit trail."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    source_id: str = Field(default="negatoscope", min_length=1, max_length=64)
    """AuditSourceID: by which name repositories know this system."""
    enterprise_site_id: str = Field(default="", max_length=64)
    """AuditEnterpriseSiteID, for instance a FINESS number."""
    sinks: tuple[AuditSinkSettings, ...] = ()
    access_retention_days: int = Field(default=7305, ge=0)
    """How long accesses to patients' data are kept: twenty years, as the record; 0 is for ever."""
    security_retention_days: int = Field(default=3653, ge=0)
    """Sign-ins, refusals, accounts, rights, settings, use of the trail: ten years; 0 is for ever."""
    operation_retention_days: int = Field(default=1096, ge=0)
    """Starts, stops, operators' commands: three years; 0 is for ever."""
    anchor_every_s: float = Field(default=600.0, ge=1)
    anchor_files: tuple[Path, ...] = ()
    """Further files that anchors are added to, on another machine or a medium written once."""
    verify_every_s: float = Field(default=86400.0, ge=60)
    """How often the whole chain is followed by itself."""

    @field_validator("access_retention_days", "security_retention_days", "operation_retention_days")
    @classmethod
    def _long_enough(cls, value: int) -> int:
        if 0 < value < MIN_AUDIT_DAYS:
            raise ValueError(f"traces are kept for {MIN_AUDIT_DAYS} days at least (CSP R.6113-9-2)")
        return value

    @field_validator("sinks")
    @classmethod
    def _distinct(cls, value: tuple[AuditSinkSettings, ...]) -> tuple[AuditSinkSettings, ...]:
        if len({sink.name for sink in value}) != len(value):
            raise ValueError("two audit repositories have the same name")
        for sink in value:
            if (sink.certificate is None) != (sink.key is None):
                raise ValueError(f"repository {sink.name}: certificate and key go together")
        return value

    @property
    def retention_days(self) -> dict[str, int]:
        """Days by chain."""
        return {
            "access": self.access_retention_days,
            "security": self.security_retention_days,
            "operation": self.operation_retention_days,
        }


class RoleRule(BaseModel):
    """Roles for those about whom a provider says something."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    claim: str = Field(pattern=r"^[^\s]{1,200}$")
    """Path of the claim in the ID token or the userinfo, steps parted by ``.``: ``realm_access.roles``."""
    value: str = Field(max_length=200)
    """What it is, or holds among others."""
    role: _ROLES
    institution: str | None = Field(default=None, max_length=200)
    """Studies of this institution only."""
    department: str | None = Field(default=None, max_length=200)
    issuer: str | None = Field(default=None, max_length=200)
    """Studies of patients with identifiers of this issuer only."""


class ProviderSettings(BaseModel):
    """An OpenID Connect provider."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    """In addresses: the redirect URI is ``<public_url>/api/v1/session/oidc/<name>/callback``."""
    display_name: str = Field(default="", max_length=100)
    issuer: str = Field(max_length=500)
    client_id: str = Field(max_length=300)
    client_secret: str | None = Field(default=None, max_length=1000)
    """Absent: a public client, by PKCE alone."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    acr_values: str | None = Field(default=None, max_length=200)
    """Asked for and demanded of the answer: ``eidas1`` of Pro Santé Connect."""
    name_claim: str = Field(default="preferred_username", pattern=r"^[^\s]{1,200}$")
    """From which the name of a new account is made."""
    userinfo: bool = True
    """Ask the userinfo endpoint too."""
    rules: tuple[RoleRule, ...] = ()
    create_accounts: bool = True
    """Make an account at the first sign-in of somebody a rule has a role for."""
    clock_skew_s: float = Field(default=60.0, ge=0, le=600)

    @field_validator("issuer")
    @classmethod
    def _safe_issuer(cls, value: str) -> str:
        parts = urlsplit(value)
        loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
            raise ValueError("a provider is reached by https (by http on this machine only)")
        if not parts.hostname or parts.query or parts.fragment or parts.username:
            raise ValueError("an issuer is an address without query, fragment or user")
        return value


class IdentitySettings(BaseModel):
    """Accounts, sessions and who sees what."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    session_idle_s: float = Field(default=3600.0, ge=60)
    """A session ends when it was not used for so long."""
    session_absolute_s: float = Field(default=12 * 3600.0, ge=60)
    """And at this age."""
    local_sign_in: Literal["everybody", "emergency"] = "everybody"
    """Who signs in with a password of ours: everybody, or accounts marked for emergencies."""
    totp_roles: tuple[_ROLES, ...] = ()
    """Roles whose local accounts need a second factor."""
    limited_roles: tuple[_ROLES, ...] = ()
    """Roles that see what was granted to the account only; partner and patient always are."""
    break_glass_s: float = Field(default=4 * 3600.0, ge=60, le=7 * 86400)
    """How long an emergency access lasts."""
    break_glass_per_hour: int = Field(default=10, ge=1)
    """Of one account."""
    link_max_days: int = Field(default=90, ge=1, le=3650)
    """A link to one study lasts no longer."""
    token_max_days: int = Field(default=366, ge=1, le=3650)
    """A token lasts no longer, unless the command line makes it."""
    providers: tuple[ProviderSettings, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [one.name for one in self.providers]
        if len(set(names)) != len(names):
            raise ValueError("two providers have the same name")
        return self


class PatientSettings(BaseModel):
    """Patients' files: whose numbers count, what is taken from admission messages."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    own_authority: str = Field(default="NEGATOSCOPE", min_length=1, max_length=64)
    """Local name of the authority of the numbers that we give to patients typed in here."""
    own_universal_id: str = Field(default="", max_length=64)
    """Its universal identifier: an OID, a FINESS number."""
    own_universal_id_type: Literal["", "ISO", "L", "M", "N", "UUID", "DNS"] = ""
    own_prefix: str = Field(default="", max_length=8, pattern=r"^[A-Za-z0-9-]*$")
    """Before the eight digits of these numbers."""
    preferred_authority: str = Field(default="", max_length=64)
    """Local name or universal identifier of the authority whose number is Patient ID in DICOM (the IPP);
    absent: the first of type PI."""
    dicom_name: Literal["used", "birth"] = "used"
    """Which is Patient's Name in DICOM: the name in use (missing parts from the birth name), or the birth name."""
    accept_test_ins: bool = False
    """Take identities of the test and demonstration domains of the INS: on a test site only."""
    accept_a08: bool = True
    """Take ADT^A08, which international senders use and IHE PAM France excludes."""

    @model_validator(mode="after")
    def _typed(self) -> Self:
        if bool(self.own_universal_id) != bool(self.own_universal_id_type):
            raise ValueError("own_universal_id and own_universal_id_type go together")
        return self


class OrderSettings(BaseModel):
    """Orders: the numbers that we give."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    accession_number_pattern: str = Field(default="{yy}{n:08}", min_length=1, max_length=32)
    """Of our accession and filler order numbers, at most 16 characters: ``{n}`` or ``{n:08}`` is a running number, ``{yy}`` and
    ``{yyyy}`` the year."""
    issuer_of_accession_number: str = Field(default="", max_length=64)
    """Who gives them: local name of the issuer, for orders and the worklist."""

    @field_validator("accession_number_pattern")
    @classmethod
    def _usable(cls, value: str) -> str:
        return check_pattern(value)


class PrinterSettings(BaseModel):
    """A label printer that takes ZPL over TCP."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,31}$")
    host: str = Field(min_length=1, max_length=255)
    port: int = Field(default=9100, ge=1, le=65535)
    dots_per_mm: Literal[6, 8, 12, 24] = 8
    """8 is 203 dpi, 12 is 300 dpi."""


class DocumentSettings(BaseModel):
    """Labels and letters: whose they are, and the paper they are printed on."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    hospital: str = Field(default="", max_length=200)
    """First line of letters."""
    department: str = Field(default="", max_length=200)
    address: str = Field(default="", max_length=500)
    """Lines parted by line feeds."""
    telephone: str = Field(default="", max_length=50)
    language: Literal["fr", "en"] = "fr"
    """Of letters, unless another is asked for."""
    label_width_mm: float = Field(default=70.0, ge=40, le=210)
    label_height_mm: float = Field(default=37.0, ge=25, le=297)
    sheet_columns: int = Field(default=3, ge=1, le=5)
    """Labels side by side on a sheet of A4."""
    sheet_rows: int = Field(default=8, ge=1, le=11)
    printers: tuple[PrinterSettings, ...] = ()
    """Printers that labels can be sent to; no other address is ever opened."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.label_width_mm * self.sheet_columns > 210.0:
            raise ValueError("the labels of a row are wider than A4")
        if self.label_height_mm * self.sheet_rows > 297.0:
            raise ValueError("the labels of a column are taller than A4")
        if len({one.name for one in self.printers}) != len(self.printers):
            raise ValueError("two printers have the same name")
        return self


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
    prepared_segments: int = Field(default=4, ge=0, le=64)
    """Segments that each DICOM process keeps ready while nothing arrives, their space written with zeros: reception flushes less.
    Only on a volume with sixteen times that room; 0 saves the disk these writes."""
    prepared_bytes: int = Field(default=128 << 20, ge=1 << 20, le=1 << 30)
    settle_idle_s: float = Field(default=60.0, gt=0)
    mpps_destinations: tuple[str, ...] = ()
    """AE titles of registered peers that performed procedure steps are forwarded to."""
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
    http_workers: int = Field(default_factory=lambda: min(8, _cores()), ge=1, le=64)
    """One per core, at most eight, unless set."""
    dimse_processes: int = Field(default_factory=lambda: max(1, _cores() // 2), ge=1, le=64)
    """One per two cores unless set; they share the port."""
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
            or _read_file(Path(FILE_NAME)).get("data_dir", DEFAULT_DATA_DIR)
        ).expanduser()
        path = data_dir / FILE_NAME
        if not path.is_file():
            path = Path(FILE_NAME)
        in_file = _read_file(path)
        merged: dict[str, Any] = {
            name: value for name, value in in_file.items() if not _in_environment(name)
        }
        merged.update(given)
        if "data_dir" not in merged:
            merged["data_dir"] = data_dir
        try:
            settings = cls(**merged)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "settings"
            source = _source(name.split(".")[0], given, in_file, path)
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
            settings._sources[name] = _source(name, given, in_file, path)
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


def _cores() -> int:
    """Processors this process may use."""
    return max(1, len(os.sched_getaffinity(0)))


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"cannot read {path}: {error}", hint="it must be readable UTF-8 TOML."
        ) from error


def _in_environment(name: str) -> bool:
    prefix = f"NEGATOSCOPE_{name.upper()}"
    return any(key.upper() == prefix or key.upper().startswith(prefix + "__") for key in os.environ)


def _source(name: str, given: Mapping[str, Any], in_file: Mapping[str, Any], path: Path) -> str:
    if name in given:
        return "command line"
    if _in_environment(name):
        return f"environment: NEGATOSCOPE_{name.upper()}"
    if name in in_file:
        return f"file {path}"
    return "default"
