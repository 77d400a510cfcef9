"""The trail as files: CSV and JSON lines for machines, a page to print for a patient."""

import csv
import html
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Final, Literal

from negatoscope.infra.clock import utc_now
from negatoscope.kit.cells import guarded
from negatoscope.subscribers.audit.model import AuditEvent, EventClass, Outcome
from negatoscope.subscribers.audit.patients import Access, Report

Language = Literal["fr", "en"]

_COLUMNS: Final = tuple(AuditEvent.__dataclass_fields__)


def csv_lines(first: Sequence[AuditEvent], rest: Iterable[Sequence[AuditEvent]]) -> Iterator[bytes]:
    """RFC 4180, with a head; a byte order mark tells spreadsheets the encoding."""
    yield b"\xef\xbb\xbf" + _row(_COLUMNS)
    for events in _chained(first, rest):
        yield b"".join(_row(_cells(event)) for event in events)


def json_lines(
    first: Sequence[AuditEvent], rest: Iterable[Sequence[AuditEvent]]
) -> Iterator[bytes]:
    """An event a line."""
    for events in _chained(first, rest):
        yield b"".join(
            json.dumps(asdict(event), default=_json_value, ensure_ascii=False).encode() + b"\n"
            for event in events
        )


def _chained(
    first: Sequence[AuditEvent], rest: Iterable[Sequence[AuditEvent]]
) -> Iterator[Sequence[AuditEvent]]:
    yield first
    yield from rest


def _json_value(value: object) -> object:
    return _instant(value) if isinstance(value, datetime) else str(value)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cells(event: AuditEvent) -> Iterator[str]:
    for name in _COLUMNS:
        value = getattr(event, name)
        if isinstance(value, datetime):
            yield _instant(value)
        elif isinstance(value, tuple):
            yield " ".join(value)
        elif name == "detail":
            yield json.dumps(value, ensure_ascii=False) if value else ""
        else:
            yield "" if value is None else str(value)


def _row(cells: Iterable[str]) -> bytes:
    """A line; what a spreadsheet would take for a formula becomes text."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(map(guarded, cells))
    return buffer.getvalue().encode("utf-8")


# -- for the patient ----------------------------------------------------------------------------

_NBSP: Final = "\N{NO-BREAK SPACE}"
_TEXTS: Final[dict[Language, dict[str, str]]] = {
    "fr": {
        "title": "Accès à vos examens d’imagerie",
        "patient": "Patient",
        "identifier": "Identifiant",
        "birth": "Né(e) le",
        "made": "Établi le",
        "times": "Les heures sont en temps universel (UTC).",
        "intro": "Ce relevé indique qui a consulté, transmis ou modifié vos examens, et quand. Il est établi"
        " à partir du journal des accès, que personne ne peut modifier sans que cela se voie.",
        "none": "Aucun accès n’est enregistré pour cette période.",
        "incomplete": "Ce relevé ne contient que les accès les plus récents.",
        "day": "Date",
        "first": "De",
        "last": "À",
        "who": "Qui",
        "what": "Quoi",
        "study": "Examen",
        "count": "Nombre",
        "why": "Motif ou destinataire",
        "refused": "refusé",
        "failed": "sans succès",
        "unnamed": "Personnel habilité",
        "device": "Appareil ou système",
        "program": "Archive",
        "unknown": "Inconnu",
    },
    "en": {
        "title": "Accesses to your imaging examinations",
        "patient": "Patient",
        "identifier": "Identifier",
        "birth": "Born on",
        "made": "Made on",
        "times": "Times are in Coordinated Universal Time (UTC).",
        "intro": "This list says who consulted, transmitted or changed your examinations, and when. It is made"
        " from the record of accesses, which nobody can change without a trace.",
        "none": "No access is recorded for this period.",
        "incomplete": "This list has only the most recent accesses.",
        "day": "Date",
        "first": "From",
        "last": "To",
        "who": "Who",
        "what": "What",
        "study": "Examination",
        "count": "Count",
        "why": "Reason or recipient",
        "refused": "refused",
        "failed": "unsuccessful",
        "unnamed": "Authorised staff",
        "device": "Device or system",
        "program": "Archive",
        "unknown": "Unknown",
    },
}
_CLASSES: Final[dict[Language, dict[str, str]]] = {
    "fr": {
        EventClass.VIEW: "Consultation",
        EventClass.RETRIEVE: "Lecture par un système",
        EventClass.EXPORT: "Transmission ou copie",
        EventClass.BREAK_GLASS: "Accès d’urgence",
        EventClass.CHANGE: "Modification",
        EventClass.DELETE: "Suppression",
        EventClass.STORE: "Enregistrement",
        EventClass.QUERY: "Recherche",
    },
    "en": {
        EventClass.VIEW: "Consultation",
        EventClass.RETRIEVE: "Reading by a system",
        EventClass.EXPORT: "Transmission or copy",
        EventClass.BREAK_GLASS: "Emergency access",
        EventClass.CHANGE: "Change",
        EventClass.DELETE: "Deletion",
        EventClass.STORE: "Storage",
        EventClass.QUERY: "Search",
    },
}
_ROLES_FR: Final = {
    "administrator": "Administrateur",
    "radiologist": "Radiologue",
    "technologist": "Manipulateur",
    "secretary": "Secrétaire",
    "identity-manager": "Identitovigilance",
    "clinician": "Clinicien",
    "physicist": "Physicien médical",
    "partner": "Établissement partenaire",
    "patient": "Patient",
}
_STYLE: Final = (
    "body{font:14px/1.45 sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#111}"
    "h1{font-size:1.5rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#555}dd{margin:0}"
    "table{border-collapse:collapse;width:100%;margin-top:1rem}th,td{text-align:left;padding:.35rem .5rem;"
    "border-bottom:1px solid #ccc;vertical-align:top}th{border-bottom:2px solid #444}td.n,th.n{text-align:right}"
    "@media print{body{margin:0;font-size:11px}thead{display:table-header-group}tr{break-inside:avoid}}"
)


def patient_html(report: Report, *, language: Language, names: bool) -> str:
    """A page of its own, to print: no script, no address, every text escaped.

    Args:
        report: What is told.
        language: Of the texts; dates follow it.
        names: Whether staff are named; else their functions.
    """
    say = _TEXTS[language]
    colon = f"{_NBSP}:" if language == "fr" else ":"
    escape: Callable[[str], str] = html.escape
    facts = [(say["identifier"], _identifier(report)), (say["made"], _moment(utc_now(), language))]
    if report.patient_birth_date:
        facts.insert(0, (say["birth"], _date(report.patient_birth_date, language)))
    if report.patient_name:
        facts.insert(0, (say["patient"], _person(report.patient_name)))
    head = "".join(f"<dt>{escape(k)}{colon}</dt><dd>{escape(v)}</dd>" for k, v in facts)
    body = [f"<p>{escape(say['intro'])} {escape(say['times'])}</p>"]
    if not report.accesses:
        body.append(f"<p>{escape(say['none'])}</p>")
    else:
        titles = [
            ("day", ""),
            ("who", ""),
            ("what", ""),
            ("study", ""),
            ("count", ' class="n"'),
            ("why", ""),
        ]
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td{' class=n' if n == 4 else ''}>{escape(cell)}</td>"
                for n, cell in enumerate(_patient_cells(access, language, names=names))
            )
            + "</tr>"
            for access in report.accesses
        )
        columns = "".join(f"<th scope=col{more}>{escape(say[key])}</th>" for key, more in titles)
        body.append(f"<table><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>")
    if not report.is_complete:
        body.append(f"<p>{escape(say['incomplete'])}</p>")
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{escape(say['title'])}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(say['title'])}</h1><dl>{head}</dl>{''.join(body)}</body></html>\n"
    )


def patient_csv(report: Report, *, language: Language, names: bool) -> str:
    """The same as a table."""
    say = _TEXTS[language]
    lines = [_row(say[key] for key in ("day", "who", "what", "study", "count", "why"))]
    lines += [_row(_patient_cells(access, language, names=names)) for access in report.accesses]
    return "\ufeff" + b"".join(lines).decode("utf-8")


def _patient_cells(access: Access, language: Language, *, names: bool) -> tuple[str, ...]:
    say = _TEXTS[language]
    what = _CLASSES[language].get(access.event_class, access.event_class)
    if access.outcome == Outcome.REFUSED:
        what += f" ({say['refused']})"
    elif access.outcome == Outcome.FAILED:
        what += f" ({say['failed']})"
    times = f"{access.first_at.astimezone(UTC):%H:%M}"
    if access.last_at.date() == access.first_at.date():
        end = f"{access.last_at.astimezone(UTC):%H:%M}"
        times += f"–{end}" if end != times else ""
    study = " ".join(
        part
        for part in (
            access.study_description or "",
            _date(access.study_date, language) if access.study_date else "",
            access.accession_number or "",
        )
        if part
    )
    why = "; ".join((*access.reasons, *access.destinations))
    return (
        f"{_date(access.day, language)} {times}",
        _who(access, language, names=names),
        what,
        study or access.study_instance_uid or "",
        str(access.event_count),
        why,
    )


def _who(access: Access, language: Language, *, names: bool) -> str:
    say = _TEXTS[language]
    match access.actor_kind:
        case "user":
            roles = ", ".join(
                _ROLES_FR.get(role, role) if language == "fr" else role.capitalize()
                for role in access.roles
            )
            if not names:
                return roles or say["unnamed"]
            name = access.display_name or access.actor_name
            return f"{name} ({roles})" if roles else name
        case "ae":
            return f"{say['device']} {access.actor_name}"
        case "system":
            return say["program"]
        case _:
            return say["unknown"]


def _identifier(report: Report) -> str:
    issuer = report.issuer_of_patient_id
    return f"{report.patient_id} ({issuer})" if issuer else report.patient_id


def _person(name: str) -> str:
    """The first group of a Person Name, for reading."""
    family, _, given = name.split("=", maxsplit=1)[0].partition("^")
    return " ".join(part for part in (family, *given.split("^")[:1]) if part)


def _date(day: date, language: Language) -> str:
    return f"{day:%d/%m/%Y}" if language == "fr" else f"{day:%Y-%m-%d}"


def _moment(at: datetime, language: Language) -> str:
    return f"{_date(at.date(), language)} {at:%H:%M} UTC"
