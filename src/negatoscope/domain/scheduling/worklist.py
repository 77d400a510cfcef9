"""The modality worklist: scheduled procedure steps as a device may ask for them (PS3.4 Annex K).

SQL narrows, `matches` decides: what an answer shows is what its keys were compared with. Nothing is
kept between two questions, so a step is there as soon as its booking is committed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import psycopg

from negatoscope.domain.archive.query import DicomJson, MatchOptions, QueryTooExpensive, matches
from negatoscope.domain.archive.query.matching import is_universal, item_of, texts
from negatoscope.domain.archive.query.rows import name_value
from negatoscope.domain.archive.query.temporal import date_bounds
from negatoscope.domain.patients import Patient, Registry
from negatoscope.domain.patients.dicom import DicomPatient, NameToShow, dicom_patient
from negatoscope.domain.scheduling.resources import Shows, WorklistFilter, worklist_filter
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.db.conditions import literal_like
from negatoscope.kit.text import fold
from negatoscope.standard import tags

SQL: Final = load_queries("negatoscope.domain.scheduling.sql", "worklist.sql")
MAX_CANDIDATES: Final = 20_000
"""Steps looked at for one question."""
STATEMENT_TIMEOUT_MS: Final = 10_000
_PAGE: Final = 200
_STEP: Final = "00400100"
_WILD: Final = re.compile(r"[*?]")
_OID: Final = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_NAME_BREAKS: Final = re.compile(r"[\s^=*?\\]+")
_LO: Final = 64
_SH: Final = 16
_LT: Final = 10_240


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How patients are named in DICOM.

    Attributes:
        preferred_authority: Whose number is Patient ID.
        name: Which name is Patient's Name.
    """

    preferred_authority: str = ""
    name: NameToShow = "used"


class _Row(NamedTuple):
    id: int
    scheduled_procedure_step_id: str
    modality: str
    description: str
    protocol_codes: list[dict[str, str]]
    scheduled_station_ae_title: str
    scheduled_station_name: str
    location: str
    start_at: datetime
    end_at: datetime | None
    performing_physician_name: str
    pre_medication: str
    requested_contrast_agent: str
    step_comments: str
    state: str
    requested_procedure_id: str
    study_instance_uid: str
    code_value: str
    coding_scheme_designator: str
    code_meaning: str
    procedure_description: str
    protocol: str
    patient: int
    accession_number: str
    issuer_of_accession_number: str
    placer_order_number: str
    placer_issuer: str
    filler_order_number: str
    filler_issuer: str
    admission_id: str
    issuer_of_admission_id: str
    current_patient_location: str
    requesting_service: str
    requesting_physician: str
    referring_physician_name: str
    priority: str
    clinical_question: str
    justification: str
    request_comments: str
    patient_transport: str
    pregnancy_status: str
    medical_alerts: str
    allergies: str
    patient_weight_kg: Decimal | None
    patient_size_m: Decimal | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who asks, and what it is shown.

    Attributes:
        ae_title: Calling AE title.
        modality: Of the device; empty when no device calls under the title.
        room: Where it stands.
        filter: What it is shown. Who may ask and is no device of the department (a broker, a
            workstation) is shown everything.
    """

    ae_title: str = ""
    modality: str = ""
    room: int | None = None
    filter: WorklistFilter = field(
        default_factory=lambda: WorklistFilter(shows=Shows.EVERYTHING, days_before=7)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a step stands.

    Attributes:
        is_listed: Whether worklists show it.
    """

    state: str
    is_listed: bool
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalityWorklist:
    """Answers questions. One per process; safe for many threads.

    Attributes:
        database: Where the steps are.
        zone: The department's: dates and times of steps are written in it.
        naming: Of patients.
    """

    database: Database
    zone: ZoneInfo
    naming: Naming = field(default_factory=Naming)

    def viewer(self, ae_title: str) -> Viewer:
        """What is shown to whoever calls under a title."""
        with self.database.connection() as connection:
            row = connection.execute(SQL["device"], {"ae_title": ae_title}).fetchone()
        if row is None:
            return Viewer(ae_title=ae_title)
        return Viewer(
            ae_title=ae_title, modality=row[1], room=row[2], filter=worklist_filter(row[3])
        )

    def search(
        self,
        keys: Mapping[str, Any],
        viewer: Viewer,
        *,
        is_fuzzy: bool = False,
        now: datetime | None = None,
    ) -> Iterator[DicomJson]:
        """Worklist items that match every key: urgent ones first, then by time.

        Args:
            keys: An identifier (PS3.4 §K.6.1.2), DICOM JSON, keys of the Scheduled Procedure Step
                Sequence in its one item.
            viewer: Who asks.
            is_fuzzy: Fuzzy semantic matching of names was agreed to.
            now: For the days a device is shown.

        Returns: Whole items; `returned` picks what was asked for. No connection is held between
            two pages.

        Raises:
            QueryTooExpensive: it takes too long.
            DatabaseUnavailable: also while iterating.
        """
        options = MatchOptions(combined_datetime=True, fuzzy=is_fuzzy)
        given = {**_narrowed(keys, self.zone, is_fuzzy=is_fuzzy), **self._shown(viewer, now)}
        given["from"] = _later(given["from"], given.pop("low"))
        given["until"] = _earlier(given["until"], given.pop("high"))
        rows = self._execute(SQL["candidates"], given)
        ids = [row[0] for row in rows]
        wanted = _selective(keys)
        for start in range(0, len(ids), _PAGE):
            for item in self._items(ids[start : start + _PAGE], viewer):
                if matches(item, wanted, options):
                    yield item

    def item(self, step: int) -> DicomJson | None:
        """The item of one step, whoever is shown it; None when there is none."""
        return next(iter(self._items([step], Viewer())), None)

    def standing(self, step: int) -> Standing | None:
        """How a step stands; None when there is none."""
        with self.database.connection() as connection:
            row = connection.execute(SQL["standing"], {"step": step}).fetchone()
        if row is None:
            return None
        return Standing(state=row[0], is_listed=row[1], started_at=row[2], ended_at=row[3])

    def steps_concerned(self, event: Mapping[str, Any]) -> list[int]:
        """Steps that an event about an order may change: by its step, procedure, order, appointment."""
        names = ("step", "procedure", "request", "appointment")
        given = {name: event.get(name) for name in names}
        with self.database.connection() as connection:
            return [row[0] for row in connection.execute(SQL["steps_concerned"], given)]

    def _shown(self, viewer: Viewer, now: datetime | None) -> dict[str, Any]:
        shown = viewer.filter
        today = (now or datetime.now(UTC)).astimezone(self.zone).date()
        first = today - timedelta(days=shown.days_before)
        after = shown.days_after
        return {
            "shows": str(shown.shows),
            "own": viewer.ae_title,
            "own_modality": viewer.modality,
            "own_room": viewer.room,
            "only_modalities": list(shown.modalities) or None,
            "low": _midnight(first, self.zone),
            "high": None
            if after is None
            else _midnight(today + timedelta(days=after + 1), self.zone),
            "limit": MAX_CANDIDATES,
        }

    def _items(self, ids: Sequence[int], viewer: Viewer) -> Iterator[DicomJson]:
        with self.database.connection() as connection:
            rows = [_Row(*row) for row in connection.execute(SQL["items"], {"ids": ids})]
            numbers = sorted({row.patient for row in rows})
            patients = {one.id: self._named(one) for one in Registry(connection).get_all(numbers)}
        for row in rows:
            yield _item(row, patients[row.patient], zone=self.zone, own=viewer.ae_title)

    def _named(self, patient: Patient) -> DicomPatient:
        naming = self.naming
        return dicom_patient(
            patient, preferred_authority=naming.preferred_authority, name=naming.name
        )

    def _execute(self, sql: str, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        try:
            with self.database.connection() as connection, connection.pipeline():
                connection.execute(
                    "SELECT set_config('statement_timeout', %s, true), set_config('jit', 'off', true)",
                    (str(STATEMENT_TIMEOUT_MS),),
                )
                found = connection.execute(sql, given, prepare=False)
            return found.fetchall()
        except psycopg.errors.QueryCanceled as error:
            raise QueryTooExpensive("the worklist takes too long, narrow the query") from error


def returned(item: DicomJson, keys: Mapping[str, Any]) -> DicomJson:
    """What of an item was asked for; empty where there is nothing (PS3.4 §K.2.2.1).

    A sequence asked for without keys, or with an empty item, comes whole.
    """
    found: DicomJson = {}
    for tag, key in keys.items():
        kept = item.get(tag)
        if kept is None:
            found[tag] = {"vr": key.get("vr", "UN")}
            continue
        wanted = item_of(key) if kept["vr"] == "SQ" else None
        if wanted is None or "Value" not in kept:
            found[tag] = kept
        else:
            found[tag] = {"vr": "SQ", "Value": [returned(one, wanted) for one in kept["Value"]]}
    return found


def unsupported(keys: Mapping[str, Any]) -> list[str]:
    """Tags of keys that are neither matched nor answered, those of sequences' items too."""
    return _unknown(keys, SUPPORTED)


def _unknown(keys: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    bad = []
    for tag, key in keys.items():
        if tag == "00080005" or tag.endswith("0000"):
            continue
        if tag not in known:
            bad.append(tag)
        elif known[tag] and (item := item_of(key)) is not None:
            bad += _unknown(item, known[tag])
    return bad


# -- narrowing ------------------------------------------------------------------------------------


def _narrowed(keys: Mapping[str, Any], zone: ZoneInfo, *, is_fuzzy: bool) -> dict[str, Any]:
    """Parameters of SQL that leave out nothing the keys match."""
    step = item_of(keys.get(_STEP, {})) or {}
    low, high = _days(step.get("00400002"), zone)
    return {
        "from": low,
        "until": high,
        "modality": _literal(step.get("00080060")),
        "station": _literal(step.get("00400001")),
        "step_id": _literal(step.get("00400009")),
        "state": _literal(step.get("00400020")),
        "procedure_id": _literal(keys.get("00401001")),
        "study": _literal(keys.get("0020000D")),
        "accession": _literal(keys.get("00080050")),
        "admission": _literal(keys.get("00380010")),
        "patient_id": _literal(keys.get("00100020")),
        "words": None if is_fuzzy else _words(keys.get("00100010")),
    }


def _selective(keys: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that leave anything out, likewise of the step's item."""
    found = {tag: key for tag, key in keys.items() if not is_universal(key)}
    if _STEP in found:
        step = _selective(item_of(found[_STEP]) or {})
        found[_STEP] = {"vr": "SQ", "Value": [step]}
    return found


def _literal(key: Mapping[str, Any] | None) -> list[str] | None:
    """The values of a key when they are to be equal; None when SQL is not to look at it."""
    if key is None or is_universal(key):
        return None
    values = texts(key)
    if values == ['""'] or any(_WILD.search(value) or "\0" in value for value in values):
        return None
    return values


def _words(key: Mapping[str, Any] | None) -> list[str] | None:
    """Pieces that a name has if it matches; of Latin letters only: others are in other groups."""
    if key is None or is_universal(key):
        return None
    values = texts(key)
    if len(values) != 1 or values == ['""'] or "\0" in values[0] or not _is_latin(values[0]):
        return None
    pieces = [fold(piece) for piece in _NAME_BREAKS.split(values[0]) if piece]
    return [literal_like(piece) for piece in pieces] or None


def _is_latin(text: str) -> bool:
    return all(ord(character) < 0x250 for character in text)


def _days(key: Mapping[str, Any] | None, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    values = [] if key is None or is_universal(key) else texts(key)
    if len(values) != 1 or (bounds := date_bounds(values[0])) is None:
        return None, None
    low, high = (None if text is None else _date(text) for text in bounds)
    after = None if high is None or high >= date.max else high + timedelta(days=1)
    return (
        None if low is None else _midnight(low, zone),
        None if after is None else _midnight(after, zone),
    )


def _date(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _midnight(day: date, zone: ZoneInfo) -> datetime | None:
    """Its first instant in the department; None beyond what the calendar knows."""
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        return None


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else one or other


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one and other else one or other


# -- an item --------------------------------------------------------------------------------------


def _item(row: _Row, patient: DicomPatient, *, zone: ZoneInfo, own: str) -> DicomJson:
    """A step with its procedure, request, visit and patient (PS3.4 Table K.6-1), DICOM JSON."""
    found = patient.json()
    found |= {
        "00080050": _text("SH", row.accession_number),
        "00080051": _issuer(row.issuer_of_accession_number),
        "00080090": _name(row.referring_physician_name),
        "00081110": {"vr": "SQ"},
        "00081120": {"vr": "SQ"},
        "00101020": _number(row.patient_size_m),
        "00101030": _number(row.patient_weight_kg),
        "00102000": _lines(row.medical_alerts),
        "00102110": _lines(row.allergies),
        "001021C0": _pregnancy(row.pregnancy_status),
        "0020000D": _text("UI", row.study_instance_uid),
        "00321032": _name(row.requesting_physician),
        "00321033": _text("LO", row.requesting_service[:_LO]),
        "00321060": _text("LO", (row.procedure_description or row.code_meaning)[:_LO]),
        "00321064": _codes([_code(row.code_value, row.coding_scheme_designator, row.code_meaning)]),
        "00380010": _text("LO", row.admission_id),
        "00380014": _issuer(row.issuer_of_admission_id),
        "00380050": {"vr": "LO"},
        "00380300": _text("LO", row.current_patient_location[:_LO]),
        "00380500": {"vr": "LO"},
        "00400026": _issuer(row.placer_issuer),
        "00400027": _issuer(row.filler_issuer),
        "00401001": _text("SH", row.requested_procedure_id),
        "00401002": _text("LO", _cut(row.clinical_question)),
        "00401003": _text("SH", row.priority),
        "00401004": _text("LO", row.patient_transport[:_LO]),
        "00401400": _text("LT", row.protocol[:_LT]),
        "00402004": _text("DA", f"{row.created_at.astimezone(zone):%Y%m%d}"),
        "00402005": _text("TM", f"{row.created_at.astimezone(zone):%H%M%S}"),
        "00402016": _text("LO", row.placer_order_number),
        "00402017": _text("LO", row.filler_order_number),
        "00402400": _text("LT", _comments(row)),
        "00403001": {"vr": "LO"},
        _STEP: {"vr": "SQ", "Value": [_step(row, zone, own)]},
    }
    for tag, vr in _OF_PATIENT.items():
        found.setdefault(tag, {"vr": vr})
    return found


def _step(row: _Row, zone: ZoneInfo, own: str) -> DicomJson:
    start = row.start_at.astimezone(zone)
    end = None if row.end_at is None else row.end_at.astimezone(zone)
    return {
        "00080060": _text("CS", row.modality),
        "00321070": _text("LO", row.requested_contrast_agent[:_LO]),
        # Of type 1: a step that no device was chosen for is whoever's asks for it.
        "00400001": _text("AE", row.scheduled_station_ae_title or own),
        "00400002": _text("DA", f"{start:%Y%m%d}"),
        "00400003": _text("TM", f"{start:%H%M%S}"),
        "00400004": _text("DA", "" if end is None else f"{end:%Y%m%d}"),
        "00400005": _text("TM", "" if end is None else f"{end:%H%M%S}"),
        "00400006": _name(row.performing_physician_name),
        "00400007": _text("LO", (row.description or row.procedure_description)[:_LO]),
        "00400008": _codes(
            [
                _code(
                    one.get("code_value", ""),
                    one.get("coding_scheme_designator", ""),
                    one.get("code_meaning", ""),
                )
                for one in row.protocol_codes
            ]
        ),
        "00400009": _text("SH", row.scheduled_procedure_step_id),
        "00400010": _text("SH", row.scheduled_station_name[:_SH]),
        "00400011": _text("SH", row.location[:_SH]),
        "00400012": _text("LO", row.pre_medication[:_LO]),
        "00400020": _text("CS", row.state),
        "00400400": _text("LT", row.step_comments[:_LT]),
    }


def _text(vr: str, value: str) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]} if value else {"vr": vr}


def _name(value: str) -> dict[str, Any]:
    return {"vr": "PN", "Value": [name_value(value)]} if value else {"vr": "PN"}


def _number(value: Decimal | None) -> dict[str, Any]:
    return {"vr": "DS"} if value is None else {"vr": "DS", "Value": [float(value)]}


def _pregnancy(value: str) -> dict[str, Any]:
    is_known = value.isdecimal() and 1 <= int(value) <= 4
    return {"vr": "US", "Value": [int(value)]} if is_known else {"vr": "US"}


def _lines(text: str) -> dict[str, Any]:
    """A text as values of LO, none longer than 64 characters: nothing of an alert is lost."""
    values = []
    for line in re.split(r"[\r\n\\]+", text):
        rest = line.strip()
        while len(rest) > _LO:
            at = rest.rfind(" ", 1, _LO + 1)
            at = _LO if at < 1 else at
            values.append(rest[:at].rstrip())
            rest = rest[at:].lstrip()
        if rest:
            values.append(rest)
    return {"vr": "LO", "Value": values} if values else {"vr": "LO"}


def _cut(text: str) -> str:
    """The beginning, where the whole stands in the request's comments."""
    line = " ".join(text.split())
    return line if len(line) <= _LO else f"{line[: _LO - 3].rstrip()}..."


def _comments(row: _Row) -> str:
    parts = (row.clinical_question, row.justification, row.request_comments)
    return "\n".join(part.strip() for part in parts if part.strip())[:_LT]


def _issuer(issuer: str) -> dict[str, Any]:
    """HL7v2 Hierarchic Designator Macro (PS3.3 Table 10-17)."""
    if not issuer:
        return {"vr": "SQ"}
    if _OID.fullmatch(issuer):
        item = {
            "00400032": {"vr": "UT", "Value": [issuer]},
            "00400033": {"vr": "CS", "Value": ["ISO"]},
        }
    else:
        item = {"00400031": {"vr": "UT", "Value": [issuer]}}
    return {"vr": "SQ", "Value": [item]}


def _code(value: str, designator: str, meaning: str) -> DicomJson | None:
    """Code Sequence Macro (PS3.3 §8.8); a long value goes where one has place (§8.1)."""
    if not value:
        return None
    tag, vr = ("00080100", "SH") if len(value) <= _SH else ("00080119", "UC")
    return {
        tag: {"vr": vr, "Value": [value]},
        "00080102": _text("SH", designator[:_SH] or "99LOCAL"),
        "00080104": _text("LO", (meaning or value)[:_LO]),
    }


def _codes(items: Sequence[DicomJson | None]) -> dict[str, Any]:
    found = [item for item in items if item is not None]
    return {"vr": "SQ", "Value": found} if found else {"vr": "SQ"}


# -- what is supported ----------------------------------------------------------------------------

_OF_PATIENT: Final[Mapping[str, str]] = {
    tag: tags.vr_for(int(tag, 16))
    for tag in ("00100021", "00100024", "00101001", "00101002", "00101005")
}


def _supported() -> dict[str, dict[str, Any]]:
    """Tags of an item; of those inside a sequence where what can be asked for is known."""
    now = datetime(2000, 1, 1, tzinfo=UTC)
    empty: dict[str, Any] = {
        name: now if kind in (datetime, datetime | None) else ""
        for name, kind in _Row.__annotations__.items()
    }
    row = _Row(**empty | {"patient_weight_kg": None, "patient_size_m": None, "protocol_codes": []})
    nobody = DicomPatient(
        identifier=None,
        other_identifiers=(),
        patient_name="",
        other_patient_names=(),
        patient_birth_name="",
        patient_birth_date="",
        patient_sex="",
    )
    item = _item(row, nobody, zone=ZoneInfo("UTC"), own="")
    step: dict[str, Any] = {tag: {} for tag in item[_STEP]["Value"][0]}
    return {tag: step if tag == _STEP else {} for tag in sorted(item)}


SUPPORTED: Final[Mapping[str, Mapping[str, Any]]] = _supported()
"""Matching and return keys; of Scheduled Procedure Step Sequence, those of its item."""
REQUIRED_MATCHING_KEYS: Final = frozenset(
    {"00400001", "00400002", "00400003", "00080060", "00400006", "00100010", "00100020"}
)
"""Type R of PS3.4 Table K.6-1; every other supported key is matched as well."""
