"""Patients' files over HTTP: searched as somebody types, opened with their history, typed in, corrected."""

import pytest

from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry

PATIENTS = "/api/v1/registered-patients"
CHU = Authority(namespace="CHU-X", universal_id="750", universal_id_type="N")
NIR = Authority(
    namespace="ASIP-SANTE-INS-NIR", universal_id="1.2.250.1.213.1.4.8", universal_id_type="ISO"
)


@pytest.fixture
def known(served):
    """Three patients of a hospital; their numbers."""
    people = [
        ("IPP001", "LEFÈVRE", "Éloïse", "19610503", "F", "VALI"),
        ("IPP0010", "LE FEVRE", "Jean-Noël", "196105", "M", "PROV"),
        ("X-77", "O'BRIEN", "<b>Ann</b>", "1980", "F", ""),
    ]
    with served.services.database.connection() as connection:
        registry = Registry(connection)
        return [
            registry.register(
                updates={
                    "birth_name": PersonName(family=family, given=given),
                    "birth_date": born,
                    "sex": sex,
                    "identity_status": status,
                },
                identifiers=[Identifier(value=value, authority=CHU, type_code="PI")],
                source="hl7:1",
            ).patient
            for value, family, given, born, sex, status in people
        ]


FOUND = [
    ({"text": "lefevre"}, [0]),
    ({"text": "FEVRE"}, [1, 0]),
    ({"text": "lef éloise"}, [0]),
    ({"text": "IPP001"}, [1, 0]),
    ({"text": "IPP0010"}, [1]),
    ({"text": "fevre 1961"}, [1, 0]),
    ({"text": "03/05/1961"}, [0]),
    ({"text": "1961-05-03 IPP"}, []),
    ({"text": "1961-05-03 ipp001 lefevre"}, []),
    ({"text": "1961-05-03 IPP001 lefevre"}, [0]),
    ({"text": "100%"}, []),
    ({"text": "o'brien"}, [2]),
    ({"text": "_"}, []),
    ({"identifier": "IPP001"}, [0]),
    ({"birth_date": "196105"}, [1]),
    ({"limit": 1}, [2]),
    ({}, [2, 1, 0]),
]


def test_patients_are_found_as_somebody_types(served, known):
    api = served.client("secretary")
    for query, expected in FOUND:
        answer = api.get(PATIENTS, params=query)
        assert answer.status_code == 200, answer.text
        found = [one["id"] for one in answer.json()]
        assert found == [known[at] for at in expected], query


def test_older_ones_come_by_the_last_number(served, known):
    older = served.client("secretary").get(PATIENTS, params={"before_id": known[1]}).json()
    assert [one["id"] for one in older] == [known[0]]


def test_a_file_tells_who_it_is_and_since_when(served, known):
    with served.services.database.connection() as connection:
        Registry(connection).register(
            updates={"used_name": PersonName(family="MARTIN")},
            identifiers=[
                Identifier(value="IPP001", authority=CHU, type_code="PI"),
                Identifier(value="260058815400244", authority=NIR, type_code="INS"),
            ],
            source="hl7:2",
        )
        Registry(connection).merge(survivor=known[0], subsumed=known[1], source="user:me")
    api = served.client("secretary")
    file = api.get(f"{PATIENTS}/{known[0]}").json()
    assert (file["family_name"], file["given_name"]) == ("MARTIN", "Éloïse")
    assert file["identity_status"] == "QUALIFIED"
    assert (file["patient_id"], file["issuer_of_patient_id"]) == ("IPP001", "CHU-X")
    warnings = {one["type_code"]: one["warning"] for one in file["every_identifier"]}
    assert warnings["INS"] == "its key does not fit"
    assert file["traits_since"]["used_name"] > file["traits_since"]["birth_name"]
    assert [one["kind"] for one in file["changes"]] == ["ABSORBED", "UPDATED", "CREATED"]
    assert file["changes"][1]["before"]["used_name"]["family"] == ""
    assert [one["id"] for one in file["absorbed"]] == [known[1]]
    gone = api.get(f"{PATIENTS}/{known[1]}").json()
    assert (gone["merged_into"], gone["goes_on_as"]) == (known[0], known[0])
    assert api.get(f"{PATIENTS}/{10**9}").status_code == 404
    with served.services.database.connection() as connection:
        noted = connection.execute(
            "SELECT action, patient_id, issuer_of_patient_id FROM audit_pending"
            " WHERE action = 'open patient file' ORDER BY id LIMIT 1"
        ).fetchone()
    assert noted == ("open patient file", "IPP001", "CHU-X")


def test_a_patient_typed_in_is_provisional_with_a_number_of_ours(served):
    api = served.client("secretary")
    body = {
        "birth_name": {"family": " DUPUY \x07", "given": "Léa", "further": "Léa Marie"},
        "birth_date": "19900229"[:4],
        "sex": "F",
        "birth_place_code": "2A004",
        "telephone": "04 95 00 00 00",
    }
    made = api.post(PATIENTS, json=body)
    assert made.status_code == 201, made.text
    file = made.json()
    assert (file["identity_status"], file["identity_code"]) == ("PROVISIONAL", "PROV")
    assert file["birth_name"]["family"] == "DUPUY"
    (number,) = file["identifiers"]
    assert (number["authority"], number["type_code"]) == ("NEGATOSCOPE", "PI")
    assert file["changes"][0]["source"].startswith("user:")
    again = api.post(PATIENTS, json=body)
    assert (again.status_code, again.json()["patients"]) == (409, [file["id"]])
    other = api.post(PATIENTS, json=body | {"even_if_similar": True})
    assert other.status_code == 201
    assert other.json()["identifiers"][0]["value"] != number["value"]


WRONG = [
    {"birth_date": "19900229", "birth_name": {"family": "X"}},
    {"birth_date": "29900101", "birth_name": {"family": "X"}},
    {"birth_date": "01/02/1990", "birth_name": {"family": "X"}},
    {"birth_date": "1990"},
    {"birth_name": {"family": "X"}, "sex": "W"},
    {"birth_name": {"family": "X" * 201}},
    {"birth_name": {"family": "X"}, "identity_code": "VALI"},
    {"birth_name": {"family": "X"}, "birth_place_code": "2C004"},
]


def test_what_cannot_be_is_refused(served):
    api = served.client("secretary")
    for wrong in WRONG:
        assert api.post(PATIENTS, json=wrong).status_code == 422, wrong


def test_traits_are_corrected_once_for_each_version(served, known):
    api = served.client("secretary")
    version = api.get(f"{PATIENTS}/{known[0]}").json()["version"]
    change = {"version": version, "birth_date": "19610504", "sex": "I"}
    done = api.request("PATCH", f"{PATIENTS}/{known[0]}", json=change)
    assert done.status_code == 200, done.text
    assert (done.json()["birth_date"], done.json()["sex"]) == ("19610504", "I")
    assert done.json()["birth_name"]["family"] == "LEFÈVRE"
    assert done.json()["changes"][0]["before"] == {"birth_date": "19610503", "sex": "F"}
    stale = api.request("PATCH", f"{PATIENTS}/{known[0]}", json=change)
    assert (stale.status_code, stale.json()["code"]) == (409, "conflict")
    assert api.request("PATCH", f"{PATIENTS}/{10**9}", json=change).status_code == 404


def test_a_doubt_takes_the_ins_away(served, known):
    with served.services.database.connection() as connection:
        Registry(connection).register(
            updates={},
            identifiers=[
                Identifier(value="IPP001", authority=CHU, type_code="PI"),
                Identifier(value="279035121518989", authority=NIR, type_code="INS"),
            ],
            source="hl7:2",
        )
    api = served.client("secretary")
    file = api.get(f"{PATIENTS}/{known[0]}").json()
    assert file["identity_status"] == "QUALIFIED"
    change = {"version": file["version"], "identity_attributes": ["DOUT"]}
    both = change | {"identity_attributes": ["DOUT", "FICT"]}
    assert api.request("PATCH", f"{PATIENTS}/{known[0]}", json=both).status_code == 422
    doubtful = api.request("PATCH", f"{PATIENTS}/{known[0]}", json=change).json()
    assert (doubtful["identity_status"], doubtful["identity_code"]) == ("PROVISIONAL", "PROV")
    ended = [one for one in doubtful["every_identifier"] if one["until"] is not None]
    assert [one["value"] for one in ended] == ["279035121518989"]
    assert doubtful["changes"][0]["before"]["identifiers"][0]["value"] == "279035121518989"


def test_who_may_do_what(served, known):
    assert served.client("radiologist").get(f"{PATIENTS}/{known[0]}").status_code == 200
    assert served.client("clinician").get(PATIENTS).status_code == 403
    body = {"birth_name": {"family": "X"}}
    assert served.client("technologist").post(PATIENTS, json=body).status_code == 201
    one = f"{PATIENTS}/{known[0]}"
    assert (
        served.client("technologist").request("PATCH", one, json={"version": 1}).status_code == 403
    )
