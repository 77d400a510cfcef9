"""The patients and orders of the demonstration department.

Every examination of the archive but four has the order it was made for; the four show what arrives without one. Then
there is what a department has on its desks in the morning: orders to be booked, to be vetted, held, refused, replaced,
called off, one in words. Nobody of these exists. The same release makes the same orders each time.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from negatoscope.demo import people
from negatoscope.demo.examinations import study
from negatoscope.demo.names import FAMILIES, MEN, WOMEN
from negatoscope.demo.ordered_examinations import DONE, Done
from negatoscope.demo.people import DR_ABADIE, DR_CARRERE, DR_KOWALCZYK, DR_LE_GOFF, DR_TRAORE
from negatoscope.domain.orders import (
    Answer,
    Code,
    NewOrder,
    NewProcedure,
    NewStep,
    Numbering,
    Order,
    OrderDetails,
    Orders,
    Priority,
    ProtocolChoice,
    Question,
    StepState,
    groups,
    safety,
    step_changed,
    vetting,
)
from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    import psycopg

    from negatoscope.infra.db import Database

SOURCE: Final = "user:demo"
RADIOLOGIST: Final = "user:radiologist"
"""Who vets, by the name of the demonstration account."""
AUTHORITY: Final = Authority(namespace=people.ISSUER_OF_PATIENT_ID)
_SEED: Final = 20261124
_WAITING: Final = 64
"""Orders to be booked."""


_ASKED: Final = (
    ("ZBQK002", "Médecine interne", "Fièvre et toux : foyer ?", 9),
    ("ZCQM008", "Gastro-entérologie", "Cytolyse : lithiase ?", 7),
    ("EJQM004", "Urgences", "Mollet douloureux : thrombose veineuse ?", 6),
    ("ZBQH001", "Pneumologie", "Suivi d'un nodule.", 5),
    ("ZZQH033", "Oncologie", "Réévaluation après quatre cures.", 6),
    ("ECQH010", "Urgences", "Dyspnée brutale : embolie pulmonaire ?", 4),
    ("ACQN001", "Neurologie", "Céphalées progressives.", 5),
    ("NZQN001", "Orthopédie", "Blocages du genou : ménisque ?", 4),
    ("LHQN001", "Rhumatologie", "Sciatique depuis trois mois.", 4),
    ("NFQK001", "Orthopédie", "Gonarthrose : bilan préopératoire.", 5),
    ("MGQK003", "Urgences", "Chute sur la main.", 4),
    ("QEQK001", "Gynécologie", "Surveillance.", 3),
    ("KCQM001", "Endocrinologie", "Nodule palpé.", 3),
    ("JAQM003", "Néphrologie", "Insuffisance rénale récente : obstacle ?", 3),
    ("PAQL003", "Oncologie", "Recherche de localisations osseuses.", 2),
    ("ZZQK002", "Réanimation", "Contrôle de voie centrale.", 2),
)
"""Procedure, unit, question, how often among what waits for an appointment."""
_TO_VET: Final = (
    ("ZZQH033", "Oncologie", "Lymphome : réévaluation.", "HIGH", Decimal(58)),
    ("ECQH011", "Urgences", "Douleur thoracique transfixiante : dissection ?", "STAT", Decimal(74)),
    ("ACQJ002", "Neurologie", "Lésion frontale au scanner : caractérisation.", "HIGH", None),
    ("ZCQJ004", "Hépatologie", "Nodule sur foie de cirrhose.", "ROUTINE", Decimal(41)),
    ("LHQN001", "Rhumatologie", "Lombalgie depuis quinze jours, sans signe d'alerte.", "LOW", None),
    ("HHQK484", "Gastro-entérologie", "Coloscopie incomplète.", "ROUTINE", None),
    ("ZBQH001", "Pneumologie", "Hémoptysie de faible abondance.", "HIGH", Decimal(24)),
    ("DZQN002", "Cardiologie", "Bilan de cardiomyopathie.", "ROUTINE", Decimal(88)),
    ("QEQJ001", "Gynécologie", "Haut risque familial.", "ROUTINE", Decimal(95)),
)
"""Procedure, unit, question, priority, eGFR."""


def load_orders(database: Database, *, zone: ZoneInfo, numbering: Numbering | None = None) -> int:
    """Register the patients and make the orders; when an order is there already, nothing.

    Args:
        database: With the demonstration's catalogue.
        zone: Of the department.
        numbering: Of our accession numbers.

    Returns: How many orders were made.
    """
    with database.connection() as connection:
        if connection.execute("SELECT 1 FROM imaging_service_request LIMIT 1").fetchone():
            return 0
        return _Loader(connection, zone, numbering or Numbering()).load()


class _Loader:
    """Makes the orders in one transaction.

    Args:
        connection: In a transaction.
        zone: Of the department.
        numbering: Of our accession numbers.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], zone: ZoneInfo, numbering: Numbering
    ) -> None:
        self._connection = connection
        self._zone = zone
        self._orders = Orders(connection, numbering)
        self._random = random.Random(_SEED)
        self._now = datetime.now(UTC)
        self._count = 0

    def load(self) -> int:
        """Everything.

        Returns: How many orders were made.
        """
        known = {one.patient_id: self._register(one) for one in people.PATIENTS}
        for one in DONE:
            self._done(one, known[one.person.patient_id])
        others = [self._somebody(number) for number in range(_WAITING)]
        for position, (code, service, question) in enumerate(self._wanted()):
            self._waits(others[position], position, code, service, question)
        for position, (code, service, question, priority, egfr) in enumerate(_TO_VET):
            self._to_vet(others[position * 7], code, service, question, Priority(priority), egfr)
        self._special(others, known)
        return self._count

    # -- patients -----------------------------------------------------------------------------

    def _register(self, one: people.Person) -> int:
        family, given, *_ = f"{one.patient_name}^".split("^")
        return self._file(one.patient_id, family, given, one.sex, one.birth_date, "VALI")

    def _somebody(self, number: int) -> int:
        pick = self._random
        sex = pick.choice("FFM")
        family = FAMILIES[(number * 11) % len(FAMILIES)]
        given = pick.choice(WOMEN if sex == "F" else MEN)
        born = f"{pick.randint(1932, 2016)}{pick.randint(1, 12):02}{pick.randint(1, 28):02}"
        status = "PROV" if number % 9 == 0 else "VALI"
        return self._file(f"80300{number:05}", family, given, sex, born, status)

    def _file(  # noqa: PLR0917 - traits in the order of a registration desk
        self, value: str, family: str, given: str, sex: str, born: str, status: str
    ) -> int:
        return (
            Registry(self._connection)
            .register(
                updates={
                    "birth_name": PersonName(family=family, given=given, further=given),
                    "sex": sex,
                    "birth_date": born,
                    "identity_status": status,
                },
                identifiers=[Identifier(value=value, authority=AUTHORITY, type_code="PI")],
                source=SOURCE,
            )
            .patient
        )

    # -- orders -------------------------------------------------------------------------------

    def _done(self, one: Done, patient: int) -> None:
        """An order whose examination is in the archive."""
        plan = study(
            one.person, one.date, one.time, one.accession_number, one.description, one.physician
        )
        local = datetime.strptime(one.date + one.time, "%Y%m%d%H%M%S").replace(tzinfo=self._zone)
        start = local.astimezone(UTC)
        procedure = self._procedure(
            one.code,
            study_instance_uid=plan.study_instance_uid,
            steps=(NewStep(start_at=start, description=one.description),),
        )
        details = OrderDetails(
            requesting_service=one.service,
            requesting_physician=one.physician,
            referring_physician_name=one.physician,
            clinical_question=one.question,
            patient_weight_kg=Decimal(str(one.person.weight_kg)),
            patient_size_m=Decimal(str(one.person.size_m)),
            wished_at=start,
        )
        new = NewOrder(
            patient=patient,
            procedures=[procedure],
            details=details,
            accession_number=one.accession_number,
            is_accepted=True,
        )
        order = self._make(new)
        for step in order.steps:
            for state, after_min in (
                (StepState.ARRIVED, -12),
                (StepState.STARTED, 0),
                (StepState.COMPLETED, 14),
            ):
                at = start + timedelta(minutes=after_min)
                step_changed(self._connection, step.id, state, source="system:demo", at=at)
        self._connection.execute(
            "UPDATE imaging_service_request SET created_at = %s, updated_at = %s WHERE id = %s",
            (start - timedelta(days=5), start + timedelta(minutes=14), order.id),
        )
        # The history was written now; it happened then.
        self._connection.execute(
            "UPDATE workflow_event SET at = coalesce((detail->>'at')::timestamptz, %s)"
            " WHERE request_fk = %s",
            (start - timedelta(days=5), order.id),
        )

    def _wanted(self) -> list[tuple[str, str, str]]:
        wanted = [
            (code, service, question)
            for code, service, question, count in _ASKED
            for _ in range(count)
        ]
        self._random.shuffle(wanted)
        return wanted[:_WAITING]

    def _waits(self, patient: int, position: int, code: str, service: str, question: str) -> None:
        """An order to be booked: accepted, its questions answered but for some."""
        urgent = service in {"Urgences", "Réanimation"}
        details = OrderDetails(
            requesting_service=service,
            requesting_physician=self._physician(position),
            clinical_question=question,
            priority=Priority.HIGH if urgent else Priority.ROUTINE,
            current_patient_location="" if position % 3 else f"{service}, lit {position + 1}",
            patient_transport="WALK" if position % 3 else ("BED" if urgent else "CHAIR"),
            wished_at=self._now + timedelta(hours=2 if urgent else 24 * (position % 6)),
        )
        order = self._make(
            NewOrder(patient=patient, procedures=[self._procedure(code)], details=details)
        )
        for procedure in order.procedures:
            if procedure.vetting == "WAITING":
                vetting.accept(
                    self._connection,
                    procedure.id,
                    ProtocolChoice(text="Protocole usuel."),
                    source=RADIOLOGIST,
                )
        if position % 8 != 3:
            self._answer(order, Decimal(60 + position % 40))
        if position % 19 == 5:
            self._yes(order, Question.CONTRAST_REACTION, "Urticaire en 2019, prémédication faite")

    def _to_vet(  # noqa: PLR0917 - as a request form has it
        self,
        patient: int,
        code: str,
        service: str,
        question: str,
        priority: Priority,
        egfr: Decimal | None,
    ) -> None:
        details = OrderDetails(
            requesting_service=service,
            requesting_physician=self._physician(self._count),
            clinical_question=question,
            justification="Avis spécialisé demandé en réunion pluridisciplinaire."
            if service == "Oncologie"
            else "",
            priority=priority,
        )
        order = self._make(
            NewOrder(patient=patient, procedures=[self._procedure(code)], details=details)
        )
        if egfr is not None:
            safety.answer(
                self._connection, order.id, Question.RENAL_FUNCTION, value=egfr, source=SOURCE
            )

    def _special(self, others: list[int], known: dict[str, int]) -> None:
        """One of each that a desk sees less often."""
        orders, connection = self._orders, self._connection

        def plain(patient: int, code: str, question: str, **more: Any) -> Order:
            details = OrderDetails(
                requesting_service="Médecine interne",
                requesting_physician=DR_CARRERE,
                clinical_question=question,
            )
            return self._make(
                NewOrder(
                    patient=patient, procedures=[self._procedure(code)], details=details, **more
                )
            )

        held = plain(known[people.LEFEVRE.patient_id], "ZZQL016", "Fixation d'un nodule de 16 mm ?")
        orders.hold(held.id, reason="Attend la décision de la réunion du jeudi", source=SOURCE)
        held = plain(others[3], "EBQM001", "Sténose carotide ?")
        orders.hold(held.id, reason="Patient hospitalisé ailleurs", source=SOURCE)
        called_off = plain(others[5], "ZCQM003", "Métrorragies.")
        orders.cancel(called_off.id, reason="Demande faite en double", source=SOURCE)
        refused = plain(others[8], "LHQJ001", "Lombalgie commune.")
        vetting.refuse(
            connection,
            refused.procedures[0].id,
            reason="Pas d'indication en l'absence de signe d'alerte (guide du bon usage)",
            source=RADIOLOGIST,
        )
        replaced = plain(others[12], "ZCQH001", "Colique néphrétique chez une femme jeune.")
        vetting.replace_by(
            connection,
            replaced.procedures[0].id,
            self._procedure("JAQM003"),
            reason="Échographie d'abord : pas d'irradiation",
            source=RADIOLOGIST,
        )
        pregnant = plain(known[people.NGUYEN.patient_id], "ECQH010", "Dyspnée : embolie ?")
        self._yes(pregnant, Question.PREGNANCY, "18 SA")
        self._make(
            NewOrder(
                patient=others[17],
                procedures=[
                    NewProcedure(description="Radio du coude gauche, face et profil", modality="DX")
                ],
                details=OrderDetails(requesting_service="Cabinet du Dr KOWALCZYK"),
            )
        )
        two = self._make(
            NewOrder(
                patient=others[20],
                procedures=[self._procedure("ZBQK001"), self._procedure("ZCQK004")],
                details=OrderDetails(
                    requesting_service="Oncologie",
                    requesting_physician=DR_TRAORE,
                    clinical_question="Bilan d'extension sans injection (allergie).",
                ),
            )
        )
        groups.group(connection, [one.id for one in two.steps], source=SOURCE)
        broken = plain(others[25], "HEQH002", "Dysphagie.")
        for step in broken.steps:
            step_changed(connection, step.id, StepState.STARTED, source="system:demo")
            step_changed(
                connection,
                step.id,
                StepState.DISCONTINUED,
                source="system:demo",
                reason="Fausse route",
            )

    def _make(self, new: NewOrder) -> Order:
        self._count += 1
        return self._orders.create(new, source=SOURCE).order

    def _procedure(self, code_value: str, **more: Any) -> NewProcedure:
        code = Code(code_value=code_value, coding_scheme_designator="")
        entry = self._orders.catalogue_entry(code)
        if entry is None:
            return NewProcedure(code=code, description=code_value, **more)
        return NewProcedure(catalogue=entry, **more)

    def _physician(self, position: int) -> str:
        physicians = (DR_ABADIE, DR_CARRERE, DR_KOWALCZYK, DR_LE_GOFF, DR_TRAORE)
        return physicians[position % len(physicians)]

    def _answer(self, order: Order, egfr: Decimal) -> None:
        """No to every question of it; renal function by its value."""
        for question in safety.asked(self._connection, order.id):
            is_renal = question is Question.RENAL_FUNCTION
            safety.answer(
                self._connection,
                order.id,
                question,
                answer=None if is_renal else Answer.NO,
                value=egfr if is_renal else None,
                source=SOURCE,
            )

    def _yes(self, order: Order, question: Question, detail: str) -> None:
        if question in safety.asked(self._connection, order.id):
            safety.answer(
                self._connection,
                order.id,
                question,
                answer=Answer.YES,
                detail=detail,
                source=SOURCE,
            )
