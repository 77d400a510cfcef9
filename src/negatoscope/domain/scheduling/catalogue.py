"""What can be asked for: procedures with their protocols, durations, preparation and questions."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import psycopg

from negatoscope.domain.scheduling.catalogue_errors import (
    EntryChanged,
    EntryExists,
    EntryInUse,
    InvalidEntry,
    UnknownEntry,
)
from negatoscope.infra.db import load_queries
from negatoscope.infra.db.conditions import literal_like
from negatoscope.kit.text import fold

SQL: Final = load_queries("negatoscope.domain.scheduling.sql", "catalogue.sql")
MAX_PAGE: Final = 500
MAX_LENGTHS: Final = {
    "code_value": 16,
    "coding_scheme_designator": 16,
    "label_fr": 300,
    "label_en": 300,
    "modality": 16,
    "body_part_examined": 16,
    "preparation_fr": 4000,
    "preparation_en": 4000,
    "contrast_agent": 100,
}
"""In characters; code value and designator are SH (PS3.5 §6.2), a label longer than 64 is cut in DICOM."""
MAX_PROTOCOLS: Final = 20
MAX_ROOMS: Final = 100
Connection = psycopg.Connection[Any]


class Contrast(StrEnum):
    """Whether a contrast agent is given."""

    NONE = "NONE"
    POSSIBLE = "POSSIBLE"
    REQUIRED = "REQUIRED"


class SafetyQuestion(StrEnum):
    """What must be answered before the examination."""

    PREGNANCY = "PREGNANCY"
    MR_IMPLANTS = "MR_IMPLANTS"
    CONTRAST_REACTION = "CONTRAST_REACTION"
    RENAL_FUNCTION = "RENAL_FUNCTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolCode:
    """An item of the Scheduled Protocol Code Sequence (0040,0008): one step of the procedure."""

    code_value: str
    coding_scheme_designator: str = "99LOCAL"
    code_meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """An entry of the catalogue.

    Attributes:
        id: Our number; 0 before it is kept.
        code_value: Of the Requested Procedure Code Sequence (0032,1064).
        coding_scheme_designator: ``CCAM``, or another scheme.
        label_fr: For people, and Code Meaning.
        label_en: Likewise; may be empty.
        modality: (0008,0060) of the device that does it.
        body_part_examined: (0018,0015), a defined term of PS3.16 Annex L.
        duration_min: How long it takes up a room, in minutes.
        preparation_fr: What the patient does before.
        preparation_en: Likewise.
        contrast: Whether a contrast agent is given.
        contrast_agent: Which.
        safety_questions: What must be answered before.
        needs_vetting: A radiologist accepts it before it is booked.
        protocols: One step each; none: one step without a code.
        rooms: Where it can be done; none: wherever a device of its modality stands.
        default_room: Offered first.
        is_active: Whether it can be ordered.
        version: Goes up with each change.
    """

    id: int = 0
    code_value: str
    coding_scheme_designator: str = "CCAM"
    label_fr: str
    label_en: str = ""
    modality: str = ""
    body_part_examined: str = ""
    duration_min: int = 20
    preparation_fr: str = ""
    preparation_en: str = ""
    contrast: Contrast = Contrast.NONE
    contrast_agent: str = ""
    safety_questions: tuple[SafetyQuestion, ...] = ()
    needs_vetting: bool = False
    protocols: tuple[ProtocolCode, ...] = ()
    rooms: tuple[int, ...] = ()
    default_room: int | None = None
    is_active: bool = True
    version: int = field(default=1, compare=False)


class Catalogue:
    """The procedures.

    Args:
        connection: In a transaction of the caller's.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def search(
        self,
        *,
        text: str = "",
        modality: str = "",
        is_active: bool | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> list[Procedure]:
        """Procedures by French label; every word of `text` is in the code or in a label.

        Args:
            text: Case and accents do not matter.
            modality: Only these.
            is_active: Only what can be ordered, or only what cannot.
            after: Number of the last one of the page before.
            limit: At most `MAX_PAGE`.
        """
        words = [literal_like(word) for word in fold(text).split()[:10]]
        return self._find(
            words=words or None,
            modality=modality,
            is_active=is_active,
            after=after,
            limit=min(limit, MAX_PAGE),
        )

    def get(self, number: int) -> Procedure:
        """A procedure by our number.

        Raises:
            UnknownEntry: there is none.
        """
        found = self._find(ids=[number])
        if not found:
            raise UnknownEntry(f"there is no procedure {number}")
        return found[0]

    def find(
        self, code_value: str, coding_scheme_designator: str | None = None
    ) -> Procedure | None:
        """A procedure by its code; None when there is none, or several and no scheme was named."""
        found = self._find(
            code_value=code_value, coding_scheme_designator=coding_scheme_designator, limit=2
        )
        return found[0] if len(found) == 1 else None

    def protocols(
        self, *, text: str = "", modality: str = "", limit: int = 50
    ) -> list[tuple[ProtocolCode, tuple[str, ...]]]:
        """Protocol codes of what can be ordered, with the modalities each is for.

        Args:
            text: Every word is in the code or its meaning, case and accents aside.
            modality: Only of these.
        """
        words = fold(text).split()[:10]
        found: list[tuple[ProtocolCode, tuple[str, ...]]] = []
        for value, designator, meaning, modalities in self._connection.execute(
            SQL["protocols"], {"modality": modality}
        ):
            if all(word in fold(f"{value} {meaning}") for word in words):
                code = ProtocolCode(
                    code_value=value, coding_scheme_designator=designator, code_meaning=meaning
                )
                found.append((code, tuple(modalities)))
            if len(found) == limit:
                break
        return found

    def every(self) -> list[Procedure]:
        """All of them."""
        return self._find()

    def add(self, procedure: Procedure) -> Procedure:
        """Put a procedure into the catalogue.

        Raises:
            InvalidEntry: a value cannot be used.
            EntryExists: another one has that code.
        """
        wanted = checked(procedure)
        row = self._connection.execute(SQL["insert"], self._values(wanted)).fetchone()
        if row is None:
            raise EntryExists(
                f"{wanted.code_value} of {wanted.coding_scheme_designator} is in the catalogue",
                hint="change that entry instead.",
            )
        return self._with_parts(int(row[0]), wanted)

    def change(self, procedure: Procedure) -> Procedure:
        """Replace what the catalogue says of a procedure.

        Args:
            procedure: With the number, and the version that was read.

        Raises:
            InvalidEntry: a value cannot be used.
            UnknownEntry: there is none of that number.
            EntryChanged: somebody changed it since.
            EntryExists: another one has that code.
        """
        wanted = checked(procedure)
        values = self._values(wanted) | {"id": wanted.id, "version": wanted.version}
        try:
            with self._connection.transaction():
                row = self._connection.execute(SQL["update"], values).fetchone()
        except psycopg.errors.UniqueViolation as error:
            raise EntryExists(f"another procedure has the code {wanted.code_value}") from error
        if row is None:
            raise self._stale(wanted.id)
        return self._with_parts(wanted.id, wanted)

    def remove(self, number: int, *, version: int) -> None:
        """Take a procedure out of the catalogue.

        Raises:
            UnknownEntry: there is none of that number.
            EntryChanged: somebody changed it since.
            EntryInUse: it was ordered; make it inactive instead.
        """
        try:
            with self._connection.transaction():
                row = self._connection.execute(
                    SQL["remove"], {"id": number, "version": version}
                ).fetchone()
        except psycopg.errors.ForeignKeyViolation as error:
            raise EntryInUse(
                "orders name this procedure", hint="make it inactive: it is offered no more."
            ) from error
        if row is None:
            raise self._stale(number)

    # -- inside -------------------------------------------------------------------------------

    def _find(self, **conditions: object) -> list[Procedure]:
        parameters: dict[str, object] = dict.fromkeys(
            ("words", "is_active", "after", "ids", "code_value", "coding_scheme_designator")
        )
        parameters |= {"modality": "", "limit": None} | conditions
        return [_procedure(row) for row in self._connection.execute(SQL["search"], parameters)]

    def _stale(self, number: int) -> EntryChanged:
        self.get(number)
        return EntryChanged(
            "somebody changed this procedure meanwhile", hint="read it again, then change it."
        )

    def _values(self, wanted: Procedure) -> dict[str, object]:
        names = ("id", "version", "protocols", "rooms")
        values: dict[str, object] = {
            name: getattr(wanted, name)
            for name in Procedure.__dataclass_fields__
            if name not in names
        }
        return values | {
            "safety_questions": list(map(str, wanted.safety_questions)),
            "name_folded": fold(f"{wanted.code_value} {wanted.label_fr} {wanted.label_en}"),
        }

    def _with_parts(self, number: int, wanted: Procedure) -> Procedure:
        execute = self._connection.execute
        execute(SQL["forget_protocols"], {"id": number})
        execute(SQL["forget_rooms"], {"id": number})
        execute(
            SQL["insert_protocols"],
            {
                "id": number,
                "code_values": [one.code_value for one in wanted.protocols],
                "designators": [one.coding_scheme_designator for one in wanted.protocols],
                "meanings": [one.code_meaning for one in wanted.protocols],
            },
        )
        rooms = sorted(set(wanted.rooms))
        named = {*rooms} if wanted.default_room is None else {*rooms, wanted.default_room}
        known = execute(SQL["count_rooms"], {"rooms": sorted(named)}).fetchone()
        if known != (len(named),):
            raise InvalidEntry("one of the rooms is not known", hint="choose among the rooms.")
        execute(SQL["insert_rooms"], {"id": number, "rooms": rooms})
        return self.get(number)


def checked(procedure: Procedure) -> Procedure:
    """A procedure as it is kept: texts without spaces around them.

    Raises:
        InvalidEntry: a value is missing, too long, or not among those allowed.
    """
    texts = {name: getattr(procedure, name).strip() for name in MAX_LENGTHS}
    for name, text in texts.items():
        check_text(name, text, MAX_LENGTHS[name], lines=name.startswith("preparation"))
    for name in ("code_value", "coding_scheme_designator", "label_fr"):
        if not texts[name]:
            raise InvalidEntry(f"{name} is missing")
    if not 1 <= procedure.duration_min <= 1440:
        raise InvalidEntry("duration_min is not between 1 and 1440", hint="it is in minutes.")
    if len(procedure.protocols) > MAX_PROTOCOLS or len(procedure.rooms) > MAX_ROOMS:
        raise InvalidEntry(f"more than {MAX_PROTOCOLS} protocols or {MAX_ROOMS} rooms")
    for protocol in procedure.protocols:
        check_text("protocol code", protocol.code_value, 16)
        check_text("protocol scheme", protocol.coding_scheme_designator, 16)
        check_text("protocol meaning", protocol.code_meaning, 64)
        if not (
            protocol.code_value and protocol.coding_scheme_designator and protocol.code_meaning
        ):
            raise InvalidEntry("a protocol has no code, scheme or meaning")
    questions = tuple(one for one in SafetyQuestion if one in procedure.safety_questions)
    modality = texts["modality"].upper()
    check_code_string("modality", modality)
    check_code_string("body_part_examined", texts["body_part_examined"].upper())
    return replace(
        procedure,
        **texts | {"modality": modality, "body_part_examined": texts["body_part_examined"].upper()},
        safety_questions=questions,
    )


def check_text(name: str, text: str, longest: int, *, lines: bool = False) -> None:
    """Refuse what is too long or has control characters.

    Raises:
        InvalidEntry: it does.
    """
    if len(text) > longest:
        raise InvalidEntry(f"{name} is longer than {longest} characters")
    allowed = "\n\r\t" if lines else ""
    if any(ord(one) < 32 and one not in allowed for one in text) or "\\" in text:
        raise InvalidEntry(f"{name} has control characters or a backslash")


def check_code_string(name: str, text: str) -> None:
    """Refuse what is no CS value (PS3.5 §6.2): upper case letters, digits, space, underscore.

    Raises:
        InvalidEntry: it is none.
    """
    if not all(one.isascii() and (one.isupper() or one.isdigit() or one in " _") for one in text):
        raise InvalidEntry(
            f"{name} is not a code string", hint="letters, digits, spaces and underscores."
        )


def _procedure(row: tuple[Any, ...]) -> Procedure:
    return Procedure(
        id=row[0],
        code_value=row[1],
        coding_scheme_designator=row[2],
        label_fr=row[3],
        label_en=row[4],
        modality=row[5],
        body_part_examined=row[6],
        duration_min=row[7],
        preparation_fr=row[8],
        preparation_en=row[9],
        contrast=Contrast(row[10]),
        contrast_agent=row[11],
        safety_questions=tuple(one for one in SafetyQuestion if one in row[12]),
        needs_vetting=row[13],
        default_room=row[14],
        is_active=row[15],
        version=row[16],
        protocols=tuple(
            ProtocolCode(code_value=code, coding_scheme_designator=scheme, code_meaning=meaning)
            for code, scheme, meaning in row[17]
        ),
        rooms=tuple(row[18]),
    )
