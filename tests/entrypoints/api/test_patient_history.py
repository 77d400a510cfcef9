"""Stays, units and the timeline of a registered patient over HTTP."""

from negatoscope.domain.orders import Code, NewOrder, NewProcedure, Orders
from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry
from negatoscope.entrypoints.hl7v2 import adt
from negatoscope.protocols.hl7v2 import parse

PATIENTS = "/api/v1/registered-patients"
UNITS = "/api/v1/hospital-units"
CHU = Authority(namespace="CHU-X", universal_id="750", universal_id_type="N")
A01 = """
MSH|^~\\&|GAM|CHU|RIS|CHU|20260301080000||ADT^A01|1|P|2.5|||||FRA|UNICODE UTF-8
EVN||20260301080000
PID|||P1^^^CHU-X&750&N^PI||DUPONT^Éloïse^^^^^L||19610503|F||||||||||D1^^^CHU-X&750&N^AN
PV1||I|MED^12^A||||1234^HOUSE^Gregory||||||||||||V1^^^CHU-X&750&N^VN
ZBE|1^CHU|20260301074500||INSERT|N||^^^^^^UF^^^6268||HMS
""".strip()


def registered(served, value="P1", **traits):
    with served.services.database.connection() as connection:
        given = {
            "birth_name": PersonName(family="DUPONT", given="Éloïse"),
            "birth_date": "19610503",
        }
        return (
            Registry(connection)
            .register(
                updates=given | {"sex": "F"} | traits,
                identifiers=[Identifier(value=value, authority=CHU, type_code="PI")],
                source="hl7:1",
            )
            .patient
        )


def test_stays_are_shown_with_what_units_were_called(served):
    api = served.client("secretary")
    admin = served.client("administrator")
    file = "code;libellé;debut;fin\n6268;Chirurgie V;;2025-12-31\n6268;Chirurgie vasculaire;2026-01-01;\n"
    assert api.post(f"{UNITS}/import", json={"content": file}).status_code == 403
    taken = admin.post(f"{UNITS}/import", json={"content": file})
    assert (taken.status_code, taken.json()) == (200, {"unit_count": 1})
    wrong = admin.post(f"{UNITS}/import", json={"content": file + "7;;\n"})
    assert wrong.status_code == 422
    assert wrong.json()["lines"] == [{"line": 4, "reason": "code and label are needed"}]
    assert len(api.get(UNITS).json()) == 2
    assert len(api.get(UNITS, params={"day": "2026-02-01", "text": "CHIR"}).json()) == 1
    with served.services.database.connection() as connection:
        number = adt.apply(connection, 7, parse(A01.encode())).effect["patients"][0]["patient"]
    (stay,) = api.get(f"{PATIENTS}/{number}/encounters").json()
    assert (stay["visit_number"], stay["account_number"], stay["state"]) == ("V1", "D1", "ADMITTED")
    assert stay["medical_unit"] == {"code": "6268", "label": "Chirurgie vasculaire"}
    assert stay["lodging_unit"] == {"code": "MED", "label": ""}
    assert (stay["room"], stay["attending_doctor"]) == ("12", "HOUSE^Gregory")
    (movement,) = stay["movements"]
    assert (movement["event"], movement["number"], movement["nature"]) == ("A01", "1^CHU", "HMS")
    assert movement["happened_at"] == "2026-03-01T06:45:00Z"
    assert api.get(f"{PATIENTS}/{10**9}/encounters").status_code == 404
    assert served.client("clinician").get(f"{PATIENTS}/{number}/encounters").status_code == 403


def test_the_timeline_joins_what_was_asked_for_and_what_was_made(served, helpers):
    number = registered(served)
    with served.services.database.connection() as connection:
        order = (
            Orders(connection)
            .create(
                NewOrder(
                    patient=number,
                    procedures=[
                        NewProcedure(code=Code(code_value="TH", code_meaning="Scanner thorax"))
                    ],
                ),
                source="user:a",
            )
            .order
        )
    uid = order.procedures[0].study_instance_uid
    archive = served.client("technologist")
    for study, patient_id in ((uid, "P1"), ("1.2.3.4", "P1"), ("1.2.3.5", "P2")):
        one = helpers.make_ct(1, study=study, patient_id=patient_id, IssuerOfPatientID="CHU-X")
        body, headers = helpers.related(helpers.part10(one))
        assert archive.post("/dicom-web/studies", content=body, headers=headers).status_code == 200
    found = served.client("secretary").get(f"{PATIENTS}/{number}/timeline").json()
    assert [(one["label"], one["request"]) for one in found] == [
        ("Scanner thorax", order.id),
        ("Scanner thoracique", None),
    ]
    assert [[s["study_instance_uid"] for s in one["studies"]] for one in found] == [
        [uid],
        ["1.2.3.4"],
    ]
    assert found[0]["studies"][0]["instance_count"] == 1
    other = registered(served, value="P9", birth_name=PersonName(family="AUTRE"))
    assert served.client("secretary").get(f"{PATIENTS}/{other}/timeline").json() == []
