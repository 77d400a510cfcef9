"""Calls to other applications: an address with places for who and what is open here.

``https://dpi.example/open?ipp={patient_id:CHU-X}&examen={accession_number}``. Places stand after
the host only, and what is put there is percent-encoded altogether: it can neither lead elsewhere
nor add a parameter.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal
from urllib.parse import quote, urlsplit

import psycopg

from negatoscope.domain.devices.errors import (
    CallTemplateChanged,
    CallTemplateExists,
    InvalidCallTemplate,
    UnknownCallTemplate,
)
from negatoscope.infra.db import Database

Place = Literal["PATIENT", "STUDY"]
PLACES: Final[Mapping[str, frozenset[str]]] = {
    "PATIENT": frozenset({"patient_id", "issuer_of_patient_id", "user"}),
    "STUDY": frozenset(
        {"patient_id", "issuer_of_patient_id", "accession_number", "study_instance_uid", "user"}
    ),
}
"""What can be put into the address, by where the button is."""
MAX_TEMPLATE: Final = 2000
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)(?::([^{}:/?#&=]{1,100}))?\}")
_AUTHORITY: Final = re.compile(
    r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?|https?://\[[0-9A-Fa-f:.]+\](:\d{1,5})?"
)
_COLUMNS: Final = "id, label, place, template, is_active, version"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTemplate:
    """An address.

    Attributes:
        label: On the button.
        place: Of a patient's file or of an examination.
        template: With places in braces.
        is_active: Whether the button is shown.
        id: Ours; 0 of a new one.
        version: Counts changes.
    """

    label: str
    place: Place
    template: str
    is_active: bool = True
    id: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """What is open here.

    Attributes:
        identifiers: Of the patient, the preferred one first: value, and the names of who gave it.
        user: Who calls.
    """

    identifiers: Sequence[tuple[str, frozenset[str]]] = ()
    issuer_of_patient_id: str = ""
    accession_number: str = ""
    study_instance_uid: str = ""
    user: str = ""


def check(one: CallTemplate) -> None:
    """Refuse what cannot be used.

    Raises:
        InvalidCallTemplate: says what.
    """
    if not one.label.strip() or not one.label.isprintable():
        raise InvalidCallTemplate("the label is what stands on the button")
    text = one.template
    if len(text) > MAX_TEMPLATE or not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidCallTemplate(
            "the address has characters that no address has", hint="percent-encode them."
        )
    host = _AUTHORITY.match(text)
    if host is None or text[host.end() : host.end() + 1] not in {"", "/", "?", "#"}:
        raise InvalidCallTemplate(
            "the address begins with http:// or https:// and the name of a host",
            hint="no place stands in the host, and no user name before it.",
        )
    try:
        urlsplit(text).port  # noqa: B018 - it says whether it is one
    except ValueError as error:
        raise InvalidCallTemplate("the port is none") from error
    for name, of in _PLACEHOLDER.findall(text):
        if name not in PLACES[one.place]:
            known = ", ".join(f"{{{each}}}" for each in sorted(PLACES[one.place]))
            raise InvalidCallTemplate(f"{{{name}}} is not known here", hint=f"there are {known}.")
        if of and name != "patient_id":
            raise InvalidCallTemplate(f"{{{name}}} takes no authority")
    if set("{}") & set(_PLACEHOLDER.sub("", text)):
        raise InvalidCallTemplate(
            "a brace is not closed, or what stands in it is no place",
            hint="{patient_id:AUTHORITY} is the number that an authority gave.",
        )


def fill(template: str, context: CallContext) -> str | None:
    """The address; None where something is not known that it needs.

    Args:
        template: That was checked.
        context: What is open.
    """
    is_complete = True

    def value(match: re.Match[str]) -> str:
        nonlocal is_complete
        name, authority = match.group(1), match.group(2) or ""
        if name == "patient_id":
            found = next(
                (
                    text
                    for text, names in context.identifiers
                    if not authority or authority in names
                ),
                "",
            )
        else:
            found = str(getattr(context, name))
        if not found:
            is_complete = False
        return quote(found, safe="")

    made = _PLACEHOLDER.sub(value, template)
    return made if is_complete else None


class CallTemplates:
    """The registry of addresses.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, *, place: Place | None = None) -> list[CallTemplate]:
        """Every one, or the active ones of a place, by label."""
        where = "" if place is None else "WHERE is_active AND place = %(place)s"
        with self._database.connection() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM call_template {where} ORDER BY label", {"place": place}
            ).fetchall()
        return [_template(row) for row in rows]

    def get(self, number: int) -> CallTemplate:
        """One.

        Raises:
            UnknownCallTemplate: there is none.
        """
        with self._database.connection() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM call_template WHERE id = %s", (number,)
            ).fetchone()
        if row is None:
            raise UnknownCallTemplate(f"there is no address {number}")
        return _template(row)

    def add(self, one: CallTemplate) -> CallTemplate:
        """Register one.

        Raises:
            InvalidCallTemplate, CallTemplateExists: it cannot be, or its label is taken.
        """
        check(one)
        return self._write(
            f"""INSERT INTO call_template (label, place, template, is_active)
            VALUES (%(label)s, %(place)s, %(template)s, %(is_active)s) RETURNING {_COLUMNS}""",
            one,
        )

    def change(self, one: CallTemplate) -> CallTemplate:
        """Change one; its version is the one that was read.

        Raises:
            UnknownCallTemplate, InvalidCallTemplate, CallTemplateExists, CallTemplateChanged: why not.
        """
        check(one)
        self.get(one.id)
        return self._write(
            f"""UPDATE call_template SET label = %(label)s, place = %(place)s, template = %(template)s,
            is_active = %(is_active)s, version = version + 1
            WHERE id = %(id)s AND version = %(version)s RETURNING {_COLUMNS}""",
            one,
        )

    def _write(self, sql: str, one: CallTemplate) -> CallTemplate:
        with self._database.connection() as connection:
            try:
                row = connection.execute(sql, asdict(one)).fetchone()
            except psycopg.errors.UniqueViolation as error:
                raise CallTemplateExists("another address has that label") from error
        if row is None:
            raise CallTemplateChanged("it was changed meanwhile", hint="read it again.")
        return _template(row)

    def remove(self, number: int) -> CallTemplate:
        """Take one away.

        Raises:
            UnknownCallTemplate: there is none.
        """
        before = self.get(number)
        with self._database.connection() as connection:
            connection.execute("DELETE FROM call_template WHERE id = %s", (number,))
        return before


def _template(row: Sequence[Any]) -> CallTemplate:
    return CallTemplate(
        id=row[0], label=row[1], place=row[2], template=row[3], is_active=row[4], version=row[5]
    )
