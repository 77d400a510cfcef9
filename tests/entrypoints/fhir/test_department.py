"""The department over FHIR R4: read, search, paging, create; every resource validated by another's models."""

from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from fhir.resources.R4B import get_fhir_model_class

from negatoscope.domain.orders import NewOrder, NewProcedure, OrderDetails, Orders, Priority
from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry
from negatoscope.domain.scheduling.appointments import Appointments
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.domain.scheduling.model import Place
from negatoscope.entrypoints.fhir import inclusion
from ordering import catalogue_entry

CHU = "urn:oid:1.2.250.1.71.4.2.7"
AUTHORITY = Authority(namespace="CHU", universal_id="1.2.250.1.71.4.2.7", universal_id_type="ISO")
INS = Authority(namespace="ASIP", universal_id="1.2.250.1.213.1.4.8", universal_id_type="ISO")


def valid(resource):
    """Take a resource apart with the models of another project (R4B, as R4 where it matters)."""
    return get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def work(shared_served):
    """For tests that only read."""
    return filled(shared_served)


@pytest.fixture
def fresh(served):
    """For one that writes."""
    return filled(served)


def filled(served):
    """Two patients; the first with a stay, an order of two procedures, one of them booked in room CT 1."""
    with served.services.database.connection() as connection:
        registry = Registry(connection)

        def register(value, family, given, born, sex, **more):
            identifiers = [Identifier(value=value, authority=AUTHORITY, type_code="PI")]
            if more.pop("ins", None):
                identifiers.append(
                    Identifier(value="255069999999934", authority=INS, type_code="INS")
                )
            updates = {
                "birth_name": PersonName(family=family, given=given, further=f"{given} Anne")
            }
            updates |= {"birth_date": born, "sex": sex, **more}
            return registry.register(updates=updates, identifiers=identifiers, source="t").patient

        first = register(
            "1001", "GARÇON", "Éloïse", "19610503", "F", ins=True, identity_status="VALI",
            birth_place_code="63220", used_name=PersonName(family="LE GOFF", given="Éloïse"),
        )  # fmt: skip
        second = register("1002", "Œuvrard", "Jean", "1970", "M")
        catalogue = [catalogue_entry(connection, code) for code in ("ZBQH001", "ZCQH002")]
        orders = Orders(connection)
        made = orders.create(
            NewOrder(
                patient=first,
                procedures=[NewProcedure(catalogue=one) for one in catalogue],
                details=OrderDetails(
                    priority=Priority.HIGH,
                    clinical_question="Embolie <pulmonaire> ?",
                    requesting_physician="CURIE^Marie",
                    requesting_physician_id="10001234567",
                ),
                placer_order_number="P77",
                placer_issuer="DPI",
            ),
            source="user:t",
        ).order
        other = orders.create(
            NewOrder(patient=second, procedures=[NewProcedure(catalogue=catalogue[0])]), source="t"
        ).order
        (room,) = connection.execute(
            "INSERT INTO resource (kind, name, location) VALUES ('ROOM', 'CT 1', 'Site A') RETURNING id"
        ).fetchone()
        (device,) = connection.execute(
            "INSERT INTO resource (kind, name, room_fk, modality, ae_title)"
            " VALUES ('DEVICE', 'Scanner', %s, 'CT', 'CT1') RETURNING id",
            (room,),
        ).fetchone()
        connection.execute(
            "INSERT INTO opening_hours (resource_fk, weekday, opens, closes)"
            " SELECT %s, day, '08:00', '18:00' FROM generate_series(1, 5) day",
            (room,),
        )
        book = Appointments(connection, Rules.of(served.services.settings), source="user:t")
        step, later = made.steps[0].id, made.steps[1].id
        start, end = utc("2027-03-02T08:00:00"), utc("2027-03-02T08:25:00")
        number = book.book([Place(step=step, room=room, start_at=start, end_at=end)], note="à jeun")
        waiting = book.wait([later])
        (authority,) = connection.execute("SELECT id FROM assigning_authority LIMIT 1").fetchone()
        connection.execute(
            "INSERT INTO encounter (patient_fk, visit_number, authority_fk, patient_class, state, admitted_at,"
            " medical_unit, attending_doctor) VALUES (%s, 'V1', %s, 'I', 'ADMITTED', %s, '4012', 'CURIE^Marie'),"
            " (%s, 'V2', %s, '', 'UNKNOWN', NULL, '', '')",
            (first, authority, utc("2027-03-01T10:00:00"), first, authority),
        )
    return SimpleNamespace(
        api=served.client("secretary"), first=first, second=second, order=made, other=other, room=room,
        device=device, appointment=number, waiting=waiting,
    )  # fmt: skip


def found(api, query, **headers):
    """Ids of what a search finds; the bundle and each resource are valid."""
    answer = api.get(f"/fhir/{query}", **headers)
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    get_fhir_model_class("Bundle").model_validate(bundle)
    return [valid(one["resource"]).id for one in bundle.get("entry", [])]


def test_patient(work):
    resource = work.api.get(f"/fhir/Patient/{work.first}").json()
    valid(resource)
    assert resource["gender"] == "female"
    assert resource["birthDate"] == "1961-05-03"
    assert [(one["use"], one["family"]) for one in resource["name"]] == [
        ("official", "GARÇON"),
        ("usual", "LE GOFF"),
    ]
    assert {one["system"]: one["type"]["coding"][0]["code"] for one in resource["identifier"]} == {
        CHU: "PI",
        "urn:oid:1.2.250.1.213.1.4.8": "INS-NIR",
    }
    assert resource["extension"][0]["extension"][0]["valueCoding"]["code"] == "VALI"
    second = work.api.get(f"/fhir/Patient/{work.second}").json()
    assert second["birthDate"] == "1970"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"identifier={quote(CHU)}|1001", "first"),
        ("identifier=1002", "second"),
        ("identifier=|1002", None),
        ("identifier=urn:oid:1.2.3|1001", None),
        ("identifier=http://else.example|1001", None),
        ("identifier=1001&identifier=255069999999934", "first"),
        ("family=gar", "first"),
        ("family=le%20goff", "first"),
        ("family=goff", None),
        ("family:contains=goff", "first"),
        ("family=oeuv", "second"),
        ("family:exact=Garçon", None),
        ("family=%25", None),
        ("given=eloise", "first"),
        ("name=jean&gender=male", "second"),
        ("birthdate=1961-05", "first"),
        ("birthdate=ge1965&birthdate=lt1971", "second"),
        ("birthdate=1961-05-03,1980-01-01", "first"),
        ("_id=999999", None),
        ("unknown=1&given=jean", "second"),
    ],
)
def test_patients_are_found(work, query, expected):
    ids = [] if expected is None else [str(getattr(work, expected))]
    assert found(work.api, f"Patient?{query}") == ids


def test_pages_follow_the_last_key(work):
    seen, path = [], "/fhir/Patient?_count=1&_sort=_id"
    for _ in range(3):
        bundle = work.api.get(path).json()
        seen += [one["resource"]["id"] for one in bundle.get("entry", [])]
        following = [one["url"] for one in bundle["link"] if one["relation"] == "next"]
        if not following:
            break
        path = following[0].removeprefix("http://archive.test")
    assert seen == [str(work.first), str(work.second)]
    assert found(work.api, "Patient?_sort=-_id&_count=500") == seen[::-1]
    posted = work.api.post(
        "/fhir/Patient/_search",
        content="identifier=1001",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert len(posted.json()["entry"]) == 1


def test_encounter(work):
    (first, second) = work.api.get(f"/fhir/Encounter?patient={work.first}&_sort=-date").json()[
        "entry"
    ]
    by_number = {
        one["resource"]["identifier"][0]["value"]: one["resource"] for one in (first, second)
    }
    for one in by_number.values():
        valid(one)
    assert by_number["V1"]["status"] == "in-progress"
    assert by_number["V1"]["class"]["code"] == "IMP"
    assert by_number["V1"]["participant"][0]["individual"]["display"] == "Marie CURIE"
    ident = by_number["V1"]["id"]
    assert found(work.api, f"Encounter?identifier={CHU}|V1") == [ident]
    assert found(work.api, "Encounter?status=in-progress&class=IMP&date=ge2027-02-01") == [ident]
    assert found(work.api, "Encounter?date=lt2027-02-01&status=in-progress") == []
    assert found(work.api, f"Encounter?patient.identifier={CHU}|1002") == []
    assert found(work.api, f"Encounter?subject=Patient/{work.second}") == []


def test_service_request(work):
    one, other = work.order.procedures
    resource = work.api.get(f"/fhir/ServiceRequest/{one.id}").json()
    valid(resource)
    assert (resource["status"], resource["intent"], resource["priority"]) == (
        "active",
        "order",
        "urgent",
    )
    assert resource["code"]["coding"][0] == {
        "system": "https://smt.esante.gouv.fr/terminologie-ccam",
        "code": "ZBQH001",
        "display": "Examen ZBQH001",
    }
    assert resource["requester"]["identifier"]["value"] == "10001234567"
    assert resource["reasonCode"] == [{"text": "Embolie <pulmonaire> ?"}]
    assert resource["occurrenceDateTime"] == "2027-03-02T08:00:00.000Z"
    accession = work.order.accession_number
    both = {str(one.id), str(other.id)}
    for query in (
        f"identifier={accession}",
        "identifier=urn:negatoscope:authority:DPI|P77",
        f"accession={accession}",
        f"requisition={accession}",
        f"patient=Patient/{work.first}",
        f"subject:Patient={work.first}",
        f"patient:identifier={quote(CHU)}|1001",
        f"subject.identifier={quote(CHU)}|1001",
        "priority=urgent&status=active&intent=order",
    ):
        assert set(found(work.api, f"ServiceRequest?{query}")) == both, query
    assert found(work.api, "ServiceRequest?occurrence=2027-03-02") == [str(one.id)]
    assert found(
        work.api, "ServiceRequest?code=https://smt.esante.gouv.fr/terminologie-ccam|ZCQH002"
    ) == [str(other.id)]
    assert found(work.api, "ServiceRequest?status=revoked,completed") == []
    assert len(found(work.api, f"ServiceRequest?_id={one.id},{other.id},x")) == 2


def test_appointment(work):
    resource = work.api.get(f"/fhir/Appointment/{work.appointment}").json()
    valid(resource)
    assert (resource["status"], resource["minutesDuration"]) == ("booked", 25)
    actors = [one["actor"] for one in resource["participant"]]
    assert actors[0]["reference"] == f"Patient/{work.first}"
    assert [(one["type"], one["display"]) for one in actors[1:]] == [
        ("Location", "CT 1"),
        ("Device", "Scanner"),
    ]
    booked, waits = [str(work.appointment)], [str(work.waiting)]
    order = work.order.procedures[0].id
    for query, expected in (
        ("date=2027-03-02", booked),
        ("date=ge2027-03-03", []),
        ("status=booked", booked),
        ("status=waitlist", waits),
        (f"based-on=ServiceRequest/{order}", booked),
        (f"actor=Location/{work.room}", booked),
        (f"actor=Patient/{work.second}", []),
        (f"identifier=urn:negatoscope:appointment|{work.waiting}", waits),
        (f"patient={work.first}&_sort=-date&status=booked", booked),
    ):
        assert found(work.api, f"Appointment?{query}") == expected, query


def test_schedules_and_slots(work):
    assert set(found(work.api, "Schedule?active=true")) == {str(work.room), str(work.device)}
    assert found(work.api, "Schedule?identifier=CT1&service-type=CT") == [str(work.device)]
    assert found(work.api, f"Schedule?actor=Location/{work.device}") == []
    day = f"Slot?schedule=Schedule/{work.room}&start=2027-03-02"
    bundle = work.api.get(f"/fhir/{day}").json()
    spans = [
        (one["resource"]["start"][11:16], one["resource"]["status"]) for one in bundle["entry"]
    ]
    assert spans == [("07:00", "free"), ("08:00", "busy"), ("08:25", "free")]
    busy = bundle["entry"][1]["resource"]
    assert found(work.api, f"{day}&status=busy") == [busy["id"]]
    assert (
        work.api.get(f"/fhir/Slot/{busy['id']}").json()
        == valid(busy).model_dump(mode="json") | busy
    )
    assert len(found(work.api, f"{day}&_count=2")) == 2
    assert work.api.get("/fhir/Slot?status=free").status_code == 400
    wide = f"/fhir/Slot?schedule={work.room}&start=ge2027-01-01&start=le2027-12-31"
    assert work.api.get(wide).status_code == 400
    assert work.api.get("/fhir/Slot/1-2-3-4").status_code == 404
    assert work.api.get("/fhir/Slot/999999-1-2").status_code == 404


def test_imaging_study(shared_served, helpers, work):
    served = shared_served
    study = "1.2.826.0.1.3680043.10.1.1"
    served.store(helpers.make_ct(1, patient_id="1001"), helpers.make_ct(2, patient_id="1001"))
    with served.services.database.connection() as connection:
        connection.execute(
            "INSERT INTO study_binding (study_instance_uid, procedure_fk, patient_fk, state)"
            " VALUES (%s, %s, %s, 'BOUND') ON CONFLICT (study_instance_uid) DO UPDATE"
            " SET procedure_fk = excluded.procedure_fk, patient_fk = excluded.patient_fk, state = 'BOUND'",
            (study, work.order.procedures[0].id, work.first),
        )
    resource = work.api.get(f"/fhir/ImagingStudy/{study}").json()
    valid(resource)
    assert resource["started"] == "2026-11-23T09:15:00.000Z"
    assert (resource["numberOfInstances"], resource["series"][0]["numberOfInstances"]) == (2, 2)
    assert resource["subject"]["reference"] == f"Patient/{work.first}"
    assert resource["basedOn"] == [
        {"reference": f"ServiceRequest/{work.order.procedures[0].id}", "type": "ServiceRequest"}
    ]
    for query in (
        f"identifier=urn:dicom:uid|urn:oid:{study}",
        "identifier=A77",
        "accession=A77&modality=CT",
        f"patient=Patient/{work.first}",
        "patient.identifier=1001",
        f"basedon=ServiceRequest/{work.order.procedures[0].id}",
        "started=2026-11-23",
        f"series={study}.1&status=available",
    ):
        assert found(work.api, f"ImagingStudy?{query}") == [study], query
    assert found(work.api, "ImagingStudy?started=lt2026-11-23") == []
    seen = served.client("radiologist").get(f"/fhir/ImagingStudy/{study}").json()
    assert "reference" in seen["subject"]
    clinician = served.client("clinician").get(f"/fhir/ImagingStudy/{study}").json()
    assert "reference" not in clinician["subject"]
    assert served.client("partner").get(f"/fhir/ImagingStudy/{study}").status_code == 404


def along(api, query, **headers):
    """What a search finds, and what comes along: type and id of each."""
    answer = api.get(f"/fhir/{query}", **headers)
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    get_fhir_model_class("Bundle").model_validate(bundle)
    modes = {"match": [], "include": []}
    for one in bundle.get("entry", []):
        resource = one["resource"]
        valid(resource)
        name = f"{resource['resourceType']}/{resource['id']}"
        assert one["fullUrl"] == f"http://archive.test/fhir/{name}"
        modes[one["search"]["mode"]].append(name)
    return modes["match"], sorted(modes["include"])


def test_what_is_referred_to_comes_along_once(work):
    patient = f"Patient/{work.first}"
    one, other = (f"ServiceRequest/{one.id}" for one in work.order.procedures)
    accession = work.order.accession_number
    matches, more = along(
        work.api, f"ServiceRequest?accession={accession}&_include=ServiceRequest:subject&_sort=_id"
    )
    assert (matches, more) == ([one, other], [patient])
    query = "Appointment?status=booked&_include=Appointment:patient:Patient&_include=Appointment:based-on"
    assert along(work.api, query) == ([f"Appointment/{work.appointment}"], [patient, one])
    query = f"Encounter?patient={work.first}&_include=Encounter:patient&_count=1"
    assert along(work.api, query)[1] == [patient]
    slot = f"Slot?schedule=Schedule/{work.room}&start=2027-03-02&status=busy"
    assert along(work.api, f"{slot}&_include=Slot:schedule")[1] == [f"Schedule/{work.room}"]
    assert along(work.api, f"{slot}&_include=Slot:schedule&_count=0") == ([], [])


def test_what_refers_to_it_comes_along(work):
    requests = sorted(f"ServiceRequest/{one.id}" for one in work.order.procedures)
    visits = sorted(f"Appointment/{one}" for one in (work.appointment, work.waiting))
    names = "&_revinclude=ServiceRequest:subject&_revinclude=Appointment:patient"
    matches, more = along(work.api, f"Patient?_id={work.first}{names}")
    assert (matches, more) == ([f"Patient/{work.first}"], sorted(visits + requests))
    mine = sorted(more + [f"ServiceRequest/{one.id}" for one in work.other.procedures])
    assert along(work.api, f"Patient?{names[1:]}")[1] == mine
    one = work.order.procedures[0].id
    query = f"ServiceRequest?_id={one}&_revinclude=Appointment:based-on"
    assert along(work.api, query)[1] == [f"Appointment/{work.appointment}"]


def test_studies_and_their_orders_come_along_within_what_is_seen(shared_served, helpers, work):
    served = shared_served
    study = "1.2.826.0.1.3680043.10.1.1"
    served.store(helpers.make_ct(1, patient_id="1001"))
    procedure = work.order.procedures[0].id
    with served.services.database.connection() as connection:
        connection.execute(
            "INSERT INTO study_binding (study_instance_uid, procedure_fk, patient_fk, state)"
            " VALUES (%s, %s, %s, 'BOUND') ON CONFLICT (study_instance_uid) DO UPDATE"
            " SET procedure_fk = excluded.procedure_fk, patient_fk = excluded.patient_fk, state = 'BOUND'",
            (study, procedure, work.first),
        )
    query = f"ImagingStudy?_id={study}&_include=ImagingStudy:basedon&_include=ImagingStudy:subject"
    both = [f"Patient/{work.first}", f"ServiceRequest/{procedure}"]
    assert along(work.api, query) == ([f"ImagingStudy/{study}"], both)
    assert along(work.api, f"Patient?_id={work.first}&_revinclude=ImagingStudy:subject")[1] == [
        f"ImagingStudy/{study}"
    ]
    clinician = served.client("clinician")
    assert clinician.get(f"/fhir/ImagingStudy?_id={study}").status_code == 200
    assert clinician.get(f"/fhir/{query}").status_code == 403


def test_more_than_come_along_is_said(work, monkeypatch):
    monkeypatch.setattr(inclusion, "MAX_INCLUDED", 1)
    answer = work.api.get(f"/fhir/Patient?_id={work.first}&_revinclude=ServiceRequest:patient")
    modes = [one["search"]["mode"] for one in answer.json()["entry"]]
    assert modes == ["match", "include", "outcome"]
    assert answer.json()["entry"][-1]["resource"]["issue"][0]["code"] == "incomplete"


def test_what_cannot_come_along(work):
    strict = {"Prefer": "handling=strict"}
    for query in (
        "_include=Patient:link",
        "_include:iterate=ServiceRequest:subject",
        "_revinclude=*",
    ):
        path = f"/fhir/ServiceRequest?{query}"
        assert work.api.get(path, headers=strict).status_code == 400, query
        link = work.api.get(path).json()["link"][0]["url"]
        assert "include" not in link
    kept = work.api.get("/fhir/ServiceRequest?_include=ServiceRequest:patient&_count=1").json()
    following = next(one["url"] for one in kept["link"] if one["relation"] == "next")
    assert "_include=ServiceRequest%3Apatient" in following


def test_the_statement_says_what_comes_along(work):
    statement = valid(work.api.get("/fhir/metadata").json())
    resources = {one.type: one for one in statement.rest[0].resource}
    assert "ImagingStudy:basedon" in resources["ImagingStudy"].searchInclude
    assert "Slot:schedule" in resources["Slot"].searchInclude
    assert set(resources["ServiceRequest"].searchRevInclude) == {
        "Appointment:based-on",
        "ImagingStudy:basedon",
    }
    assert resources["Schedule"].searchRevInclude is None


ORDER = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "intent": "order",
    "priority": "stat",
    "subject": {"identifier": {"system": CHU, "value": "1001"}},
    "identifier": [
        {
            "type": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}
                ]
            },
            "system": "urn:negatoscope:authority:DPI",
            "value": "P900",
        }
    ],
    "code": {
        "coding": [{"system": "https://smt.esante.gouv.fr/terminologie-ccam", "code": "ZBQH001"}]
    },
    "reasonCode": [{"text": "Fracture ?"}],
    "occurrenceDateTime": "2027-04-01T09:00:00+02:00",
    "requester": {"display": "Marie CURIE", "identifier": {"value": "10001234567"}},
}
JSON = {"Content-Type": "application/fhir+json"}


def test_an_order_is_made(served, fresh):
    work = fresh
    valid(ORDER)
    answer = work.api.post("/fhir/ServiceRequest", json=ORDER, headers=JSON)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    valid(made)
    assert answer.headers["location"] == f"http://archive.test/fhir/ServiceRequest/{made['id']}"
    assert (made["priority"], made["occurrenceDateTime"]) == ("stat", "2027-04-01T07:00:00.000Z")
    assert made["requester"]["display"] == "Marie CURIE"
    assert found(work.api, "ServiceRequest?identifier=P900") == [made["id"]]
    with served.services.database.connection() as connection:
        source = connection.execute(
            "SELECT source FROM imaging_service_request ORDER BY id DESC LIMIT 1"
        ).fetchone()
        assert source == ("fhir:test-secretary",)
        audited = connection.execute(
            "SELECT count(*) FROM audit_event WHERE action = 'order' AND patient_id = '1001'"
        ).fetchone()
        assert audited == (1,)
    again = work.api.post("/fhir/ServiceRequest", json=ORDER, headers=JSON)
    assert again.status_code == 409
    assert valid(again.json()).issue[0].code == "duplicate"


def test_what_was_of_a_merged_file_is_found_with_the_other_one(served, fresh):
    with served.services.database.connection() as connection:
        Registry(connection).merge(survivor=fresh.second, subsumed=fresh.first, source="t")
    ids = {str(one.id) for one in (*fresh.order.procedures, *fresh.other.procedures)}
    for query in (f"patient=Patient/{fresh.second}", f"patient.identifier={quote(CHU)}|1001"):
        assert set(found(fresh.api, f"ServiceRequest?{query}")) == ids
        assert set(found(fresh.api, f"Appointment?{query}")) == {
            str(fresh.appointment),
            str(fresh.waiting),
        }
        assert len(found(fresh.api, f"Encounter?{query}")) == 2
    resource = fresh.api.get(f"/fhir/ServiceRequest/{fresh.order.procedures[0].id}").json()
    assert resource["subject"]["reference"] == f"Patient/{fresh.second}"
    visit = fresh.api.get(f"/fhir/Appointment/{fresh.appointment}").json()
    assert visit["participant"][0]["actor"]["reference"] == f"Patient/{fresh.second}"
    ended = fresh.api.get(f"/fhir/Patient/{fresh.first}").json()
    assert (ended["active"], ended["link"][0]["type"]) == (False, "replaced-by")
    assert found(fresh.api, "Patient?identifier=1001") == [str(fresh.second)]
    listed = fresh.api.get(f"/api/v1/registered-patients/{fresh.second}/appointments").json()
    assert {one["patient"]["id"] for one in listed} == {fresh.second}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"resourceType": "Task"}, "ServiceRequest"),
        ({"intent": "proposal"}, "ServiceRequest.intent"),
        ({"status": "draft"}, "ServiceRequest.status"),
        ({"subject": {}}, "ServiceRequest.subject"),
        ({"subject": {"reference": "Patient/999999"}}, "ServiceRequest.subject"),
        ({"subject": {"reference": "Group/1"}}, "ServiceRequest.subject"),
        ({"subject": [1]}, "ServiceRequest.subject"),
        ({"code": {"text": "scanner"}}, "ServiceRequest.code"),
        ({"code": {"coding": [{"code": "XXXX000"}]}}, "ServiceRequest.code"),
        ({"priority": "soon"}, "ServiceRequest.priority"),
        ({"occurrenceDateTime": "tomorrow"}, "ServiceRequest.occurrenceDateTime"),
        ({"reasonCode": "text"}, "reasonCode"),
    ],
)
def test_what_cannot_be_ordered_says_where(work, change, where):
    answer = work.api.post("/fhir/ServiceRequest", json=ORDER | change, headers=JSON)
    assert answer.status_code == 422
    (issue,) = valid(answer.json()).issue
    assert (issue.code, issue.expression) == ("invalid", [where])


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("Patient?_sort=name", 400),
        ("Patient?_count=x", 400),
        ("Patient?_cursor=x", 400),
        ("Patient?birthdate=x", 400),
        ("Patient?family:missing=true", 400),
        ("Appointment?date=2027-13-01", 400),
        ("Appointment?date=0001-01-01", 400),
        ("ServiceRequest?patient:identifier:x=1", 400),
        ("Patient/x", 404),
        ("Patient/99999999999999999999", 404),
        ("Medication", 404),
        ("Appointment?_cursor=WyJ4IiwxXQ", 400),
    ],
)
def test_refusals_are_outcomes(work, query, status):
    answer = work.api.get(f"/fhir/{query}")
    assert answer.status_code == status, answer.text
    valid(answer.json())


def test_strict_handling_refuses_what_is_not_known(work):
    strict = {"Prefer": "handling=strict"}
    assert work.api.get("/fhir/Patient?colour=red", headers=strict).status_code == 400
    assert work.api.request("DELETE", f"/fhir/Patient/{work.first}").status_code == 405
    assert work.api.post("/fhir/Patient", json={}).status_code == 405
    wrong = work.api.post(
        "/fhir/ServiceRequest", content="<a/>", headers={"Content-Type": "text/xml"}
    )
    assert wrong.status_code == 415
    assert work.api.post("/fhir/ServiceRequest", content="{", headers=JSON).status_code == 400


def test_who_may(shared_served, work):
    served = shared_served
    clinician = served.client("clinician")
    for path in ("Patient", f"Patient/{work.first}", "Appointment", "Slot?schedule=1"):
        assert clinician.get(f"/fhir/{path}").status_code == 403
    assert clinician.post("/fhir/ServiceRequest", json=ORDER, headers=JSON).status_code == 403
    assert served.client(None).get("/fhir/Patient").status_code == 401
    work.api.get(f"/fhir/Patient/{work.first}")
    with served.services.database.connection() as connection:
        rows = connection.execute(
            "SELECT outcome, count(*) FROM audit_event WHERE door = 'fhir' GROUP BY outcome"
        ).fetchall()
    assert dict(rows)["REFUSED"] >= 4


def test_the_capability_statement_is_what_is_served(work):
    statement = work.api.get("/fhir/metadata").json()
    valid(statement)
    resources = {one["type"]: one for one in statement["rest"][0]["resource"]}
    assert set(resources) == {
        "Patient", "Encounter", "ServiceRequest", "Appointment", "Schedule", "Slot", "ImagingStudy",
        "AuditEvent",
    }  # fmt: skip
    assert {"code": "create"} in resources["ServiceRequest"]["interaction"]
    for name, one in resources.items():
        if name == "AuditEvent":
            continue
        for parameter in one["searchParam"]:
            query = f"{name}?{'schedule=1&' if name == 'Slot' else ''}{parameter['name']}=x"
            status = work.api.get(f"/fhir/{query}").status_code
            assert status == (400 if parameter["type"] == "date" else 200), query
