"""The desk over HTTP: looked at, previewed, done, taken back; nobody without the function."""

import pytest

from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry
from negatoscope.domain.reconciliation.duplicates import compare

DESK = "/api/v1/reconciliation"
CHU = Authority(namespace="CHU-X", universal_id="750", universal_id_type="N")


@pytest.fixture
def pair(served):
    """Two files of one person."""
    with served.services.database.connection() as connection:
        numbers = [
            Registry(connection)
            .register(
                updates={
                    "birth_name": PersonName(family=family, given="<b>Zoé</b>"),
                    "birth_date": "19700203",
                    "sex": "F",
                },
                identifiers=[Identifier(value=value, authority=CHU, type_code="PI")],
                source="hl7:1",
            )
            .patient
            for value, family in (("A1", "LEFEVRE"), ("A2", "LEFEBVRE"))
        ]
        for number in numbers:
            compare(connection, number)
    return numbers


def test_a_pair_is_looked_at_joined_and_parted_again(served, pair):
    """By the secretary; the journal says who did what."""
    api = served.client("secretary")
    first, second = pair
    assert api.get(f"{DESK}/counts").json()["duplicates"] == 1
    (found,) = api.get(f"{DESK}/duplicates").json()
    assert (found["first"]["id"], found["second"]["id"]) == (first, second)
    assert {"code": "family-sounds", "points": 20} in found["reasons"]
    compared = api.get(f"{DESK}/pairs/{first}/{second}").json()
    assert compared["sides"][0]["patient"]["given_name"] == "<b>Zoé</b>"

    action = {"kind": "MERGE", "patient": first, "other": second, "reason": "same\nperson"}
    preview = api.post(f"{DESK}/preview", json=action)
    assert preview.status_code == 200, preview.text
    token = preview.json()["token"]
    stale = api.post(f"{DESK}/actions", json={**action, "token": "0"})
    assert (stale.status_code, stale.json()["code"]) == (409, "changed-since")
    done = api.post(f"{DESK}/actions", json={**action, "token": token})
    assert done.status_code == 201, done.text
    assert done.json()["reason"] == "same person"
    again = api.post(f"{DESK}/preview", json=action)
    assert (again.status_code, again.json()["reason"]) == (409, "one-file")

    undo = f"{DESK}/actions/{done.json()['id']}/undo"
    assert api.post(undo).json()["undone_by"].startswith("user:")
    refused = api.post(undo).json()
    assert (refused["code"], refused["reason"]) == ("cannot-undo", "already-undone")
    (line,) = api.get(f"{DESK}/actions").json()
    assert line["kind"] == "MERGE"
    for name in ("duplicates", "studies-without-patient", "studies-without-order"):
        assert api.get(f"{DESK}/{name}").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "MERGE"}, 409),
        ({"kind": "MERGE", "patient": 1, "other": 999_999}, 409),
        ({"kind": "SPLIT", "other": 1}, 409),
        ({"kind": "BIND", "studies": ["1.2.3"], "procedure": 7}, 409),
        ({"kind": "MOVE", "patient": 1, "studies": ["1.2.3"]}, 409),
        ({"kind": "UNBIND", "studies": []}, 409),
        ({"kind": "MOVE", "studies": ["<script>"]}, 422),
        ({"kind": "BURN"}, 422),
        ({"kind": "MERGE", "patient": 0, "other": 1}, 422),
    ],
)
def test_what_cannot_be_done_is_said(served, pair, body, status):
    answer = served.client("secretary").post(f"{DESK}/preview", json=body)
    assert answer.status_code == status, answer.text


def test_only_who_may_reconcile_comes_here(served, pair):
    assert served.client("technologist").get(f"{DESK}/duplicates").status_code == 403
    manager = served.client("identity-manager")
    assert manager.get(f"{DESK}/duplicates").status_code == 200
    entry = [{"calling_ae_title": "CT1", "issuer": "CHU-X"}]
    assert manager.request("PUT", f"{DESK}/default-issuers", json=entry).status_code == 403
    administrator = served.client("administrator")
    put = administrator.request("PUT", f"{DESK}/default-issuers", json=entry).json()
    assert put["entries"] == [{**one, "waiting": 0} for one in entry]
    assert "CHU-X" in put["authorities"]
    assert manager.get(f"{DESK}/default-issuers").json() == put
