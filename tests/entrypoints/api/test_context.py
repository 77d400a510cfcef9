"""The call of another system (RAD-106): what it means, and what it must not tell."""

import pytest

from negatoscope.domain.identity import users
from negatoscope.domain.identity.grants import Grant, GrantKind, Holder, replace_all
from negatoscope.domain.orders import Code, NewOrder, NewProcedure, Orders
from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry

A, B, C = (f"1.2.826.0.1.3680043.10.1.{n}" for n in (1, 2, 3))


@pytest.fixture
def stored(served, helpers):
    """Two studies of one patient; another patient with the same number of another issuer."""
    ct = helpers.make_ct
    served.store(
        ct(1, study=A, IssuerOfPatientID="NORD", AccessionNumber="A1"),
        ct(1, study=B, IssuerOfPatientID="NORD", AccessionNumber="A2", StudyDate="20200101"),
        ct(1, study=C, IssuerOfPatientID="SUD", AccessionNumber="A2", name="MARTIN^Luc"),
    )
    return served


def call(client, **parameters):
    """The meaning of a call."""
    answer = client.get("/api/v1/context", params=parameters)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return found["state"], [one["study_instance_uid"] for one in found["studies"]]


def test_what_calls_mean(stored):
    """One study, several, a patient, several patients, nobody."""
    client = stored.client("clinician")
    study = {"requestType": "STUDY"}
    assert call(client, **study, studyUID=A) == ("study", [A])
    assert call(client, **study, studyUID=f"{A},{B}") == ("several-studies", [A, B])
    assert call(client, **study, accessionNumber="A1") == ("study", [A])
    assert call(client, **study, accessionNumber="A2")[0] == "several-patients"
    assert call(client, **study, studyUID="1.2.3") == ("unknown", [])
    patient = {"requestType": "patient"}
    assert call(client, **patient, patientID="P1")[0] == "several-patients"
    assert call(client, **patient, patientID="P1^^^NORD") == ("patient", [A, B])
    assert call(client, **patient, patientID="P1^^^SUD&1.2.250.1&ISO") == ("patient", [C])
    assert call(client, **patient, patientID="P1^^^NORD", mostRecentResults=1) == ("patient", [A])
    assert call(client, **patient, patientID="P1^^^NORD", upperDateTime="2021-01-01") == (
        "patient",
        [B],
    )
    assert call(client, **patient, patientID="P1^^^NORD", modalitiesInStudy="MR") == ("unknown", [])
    assert call(client, **patient, patientID="nobody", unknownParameter="x") == ("unknown", [])


@pytest.mark.parametrize(
    "parameters",
    [
        {}, {"requestType": "X"}, {"requestType": "STUDY"}, {"requestType": "PATIENT"},
        {"requestType": "STUDY", "studyUID": "1.2' OR 1=1"}, {"requestType": "STUDY", "studyUID": "a\0"},
        {"requestType": "STUDY", "accessionNumber": "a\0"}, {"requestType": "PATIENT", "patientID": "a\0"},
        {"requestType": "STUDY", "studyUID": ",".join(["1.2"] * 51)},
        {"requestType": "PATIENT", "patientID": "P1", "mostRecentResults": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_calls_that_cannot_be(stored, parameters):
    """A problem document that says what is missing."""
    answer = stored.client("clinician").get("/api/v1/context", params=parameters)
    assert answer.json()["code"] in ("bad-query", "invalid-input")


def test_a_call_tells_no_more_than_its_caller_sees(stored):
    """What is outside the scope: named to who may break the glass, to others not there at all."""
    database = stored.services.database
    for role in ("clinician", "partner"):
        stored.token(role)
        user = users.get(database, f"test-{role}")
        replace_all(
            database,
            Holder(user_id=user.id),
            [Grant(kind=GrantKind.STUDY, value=A)],
            granted_by="test",
        )
    stored.services.access.changed()
    outside = {"requestType": "STUDY", "studyUID": B}
    told = stored.client("clinician").get("/api/v1/context", params=outside).json()
    assert (told["state"], told["outside_scope"], told["studies"]) == ("outside-scope", B, [])
    told = stored.client("partner").get("/api/v1/context", params=outside).json()
    assert (told["state"], told["outside_scope"]) == ("unknown", None)
    assert call(stored.client("partner"), requestType="PATIENT", patientID="P1") == ("patient", [A])


def test_without_images_the_file_of_the_department_opens(served):
    authority = Authority(namespace="CHU-X", universal_id="1.2.3", universal_id_type="ISO")
    with served.services.database.connection() as connection:
        patient = (
            Registry(connection)
            .register(
                updates={"birth_name": PersonName(family="DURAND")},
                identifiers=[Identifier(value="P77", authority=authority, type_code="PI")],
                source="user:test",
            )
            .patient
        )
        new = NewOrder(
            patient=patient,
            accession_number="A7700",
            procedures=[NewProcedure(code=Code(code_value="X"), modality="CT")],
        )
        Orders(connection).create(new, source="user:test")

    def asked(role="radiologist", **query):
        answer = served.client(role).get("/api/v1/context", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["state"], answer.json()["registered_patient"]

    here = ("registered-patient", patient)
    assert asked(requestType="PATIENT", patientID="P77") == here
    assert asked(requestType="PATIENT", patientID="P77^^^CHU-X") == here
    assert asked(requestType="PATIENT", patientID="P77^^^&1.2.3&ISO") == here
    assert asked(requestType="PATIENT", patientID="P77^^^CHU-Y") == ("unknown", None)
    assert asked(requestType="STUDY", accessionNumber="A7700") == here
    assert asked("clinician", requestType="PATIENT", patientID="P77") == ("unknown", None)
