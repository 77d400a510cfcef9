"""Who sees which study: by every door the answer is the policy's, and the SQL's is the same."""

import re
from datetime import timedelta

import pytest

from negatoscope.domain.archive import visibility
from negatoscope.domain.identity import EVERYTHING, Action, Actor, DataScope, may, tokens, users
from negatoscope.domain.identity.grants import Grant, GrantKind, Holder, replace_all
from negatoscope.entrypoints.hl7v2.handling import handle
from negatoscope.entrypoints.web.sessions import COOKIE
from negatoscope.infra.clock import utc_now

SITE = {"Origin": "http://archive.test", "Sec-Fetch-Site": "same-origin"}
PASSWORD = "quatre mots sans espace"
A, B, C = (f"1.2.826.0.1.3680043.10.1.{n}" for n in (1, 2, 3))
REASON = "Urgence vitale, patient inconscient"
SCOPES = {
    "institution": [Grant(kind=GrantKind.INSTITUTION, value="Hôpital Nord")],
    "issuer": [Grant(kind=GrantKind.ISSUER, value="NORD")],
    "department": [Grant(kind=GrantKind.DEPARTMENT, value="Neurologie")],
    "physician": [Grant(kind=GrantKind.PHYSICIAN, value="Lévy^Anne")],
    "patient": [Grant(kind=GrantKind.PATIENT, value="P1", issuer="NORD")],
    "study": [Grant(kind=GrantKind.STUDY, value=A)],
}
"""Each shows study A and neither B nor C."""


@pytest.fixture
def stored(served, helpers):
    """Three studies of three patients; B's and C's share a number with A's, by other issuers."""
    of_a = {"InstitutionName": "Hôpital Nord", "IssuerOfPatientID": "NORD"}
    of_a |= {"InstitutionalDepartmentName": "Neurologie", "ReferringPhysicianName": "LEVY^ANNE"}
    served.store(
        helpers.make_ct(1, study=A, **of_a),
        helpers.make_ct(1, study=B, name="MARTIN^Luc", IssuerOfPatientID="SUD"),
        helpers.make_ct(1, study=C, name="PETIT^Zoé", patient_id="P3"),
    )
    return served


def account(served, name, role="clinician", granted=(), **more):
    """An account with a password and grants."""
    database = served.services.database
    user = users.create(database, name=name, roles=[role], password=PASSWORD, **more)
    replace_all(database, Holder(user_id=user.id), list(granted), granted_by="test")
    return user


def signed_in(served, name):
    """Its browser."""
    client = served.client(None)
    body = {"name": name, "password": PASSWORD}
    assert client.post("/api/v1/session", json=body, headers=SITE).status_code == 200
    client.headers = dict(SITE)
    return client


def doors(study):
    """Every way to read something of a study."""
    root = f"/dicom-web/studies/{study}"
    series = f"{root}/series/{study}.1"
    instance = f"{series}/instances/{study}.1.1"
    wado = f"/wado?requestType=WADO&studyUID={study}&seriesUID={study}.1&objectUID={study}.1.1"
    return (
        root, f"{root}/metadata", f"{root}/rendered", f"{root}/thumbnail", f"{root}/series",
        f"{root}/instances", f"{root}/bulkdata", f"{root}/pixeldata",
        series, f"{series}/metadata", f"{series}/instances", f"{series}/rendered", f"{series}/thumbnail",
        instance, f"{instance}/metadata", f"{instance}/rendered", f"{instance}/thumbnail",
        f"{instance}/frames/1", f"{instance}/frames/1/rendered", f"{instance}/frames/1/thumbnail",
        f"{instance}/bulkdata/7FE00010",
        f"{wado}&contentType=application/dicom", wado, f"/api/v1/studies/{study}",
    )  # fmt: skip


def listed(client, path="/dicom-web/studies"):
    """The studies of a QIDO-RS answer."""
    answer = client.get(path)
    assert answer.status_code in (200, 204), answer.text
    return {one["0020000D"]["Value"][0] for one in (answer.json() if answer.content else [])}


@pytest.mark.parametrize("kind", SCOPES)
def test_a_scope_holds_at_every_door(stored, kind):
    """What is inside is given by every door, what is outside by none; searches show what is inside."""
    account(stored, "dr", granted=SCOPES[kind])
    client = signed_in(stored, "dr")
    for path in doors(A):
        assert client.get(path).status_code not in (401, 403, 404), path
    for study in (B, C):
        for path in doors(study):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "outside-scope"), path
    for path in ("/dicom-web/studies", "/dicom-web/series", "/dicom-web/instances"):
        assert listed(client, path) == {A}, path
    assert listed(client, f"/dicom-web/studies?StudyInstanceUID={B}") == set()
    assert listed(client, f"/dicom-web/series?StudyInstanceUID={B}") == set()
    hidden_among = f"/dicom-web/studies/{A}/series/{B}.1/instances/{B}.1.1/frames/1"
    assert client.get(hidden_among).status_code == 404
    assert client.get(f"/dicom-web/studies/{A}/series/{B}.1").status_code == 404
    wado = f"/wado?requestType=WADO&studyUID={A}&seriesUID={A}.1&objectUID={B}.1.1"
    assert client.get(wado).status_code == 404


def moved(served, unit, at, *, control, event="A01"):
    """The admission office says in which unit the patient of study A is since then."""
    when = at.strftime("%Y%m%d%H%M%S")
    care = f"^^^^^CHU&1&ISO^UF^^^{unit}"
    segments = {
        "PID": {3: "P1^^^NORD^PI", 5: "DUPONT^Éloïse^^^^^L", 7: "19610503", 8: "F", 32: "VALI"},
        "PV1": {2: "I", 3: f"{unit}^^^CHU", 19: "SEJ1^^^NORD^VN"},
        "ZBE": {1: f"MV{control}^GAM", 2: when, 4: "INSERT", 5: "N", 7: care, 8: care, 9: "HMS"},
    }
    lines = [
        f"MSH|^~\\&|GAM|CHU|RIS|CHU|{when}||ADT^{event}|{control}|P|2.5^FRA^2.11||||||UNICODE UTF-8",
        f"EVN||{when}",
        *("|".join([name, *(fields.get(n, "") for n in range(1, 33))]).rstrip("|")
          for name, fields in segments.items()),
    ]  # fmt: skip
    with served.services.database.connection() as connection:
        handle(connection, int(control), "\r".join([*lines, ""]).encode())


def test_the_unit_that_cares_for_a_patient_sees_their_studies(stored):
    """From the admission on, for a while after the patient left it, and no other patient's."""
    account(stored, "ward", granted=[Grant(kind=GrantKind.UNIT, value="4201")])
    account(stored, "next", granted=[Grant(kind=GrantKind.UNIT, value="5301")])

    def seen():
        return tuple(listed(signed_in(stored, name)) for name in ("ward", "next"))

    assert seen() == (set(), set())
    moved(stored, "4201", utc_now() - timedelta(days=60), control="1")
    assert seen() == ({A}, set())
    moved(stored, "5301", utc_now() - timedelta(days=2), control="2", event="A02")
    assert seen() == ({A}, {A})
    moved(stored, "5301", utc_now() - timedelta(days=45), control="3", event="A02")
    assert seen() == (set(), {A})
    assert signed_in(stored, "ward").get(f"/dicom-web/studies/{A}").status_code == 403
    assert signed_in(stored, "next").get(f"/dicom-web/studies/{B}").status_code == 403


@pytest.mark.parametrize("role", ["partner", "patient"])
def test_partners_and_patients_see_what_was_granted(stored, role):
    """Nothing without a grant; of anything else not even that it exists."""
    account(stored, "guest", role)
    client = signed_in(stored, "guest")
    assert listed(client) == set()
    for study in (A, "1.2.3"):
        for path in doors(study):
            assert client.get(path).status_code == 404, path
    own = [Grant(kind=GrantKind.PATIENT, value="P1", issuer="NORD")]
    user = users.get(stored.services.database, "guest")
    replace_all(stored.services.database, Holder(user_id=user.id), own, granted_by="test")
    stored.services.access.changed()
    assert listed(client) == {A}
    assert client.get(f"/dicom-web/studies/{A}/metadata").status_code == 200
    assert client.get(f"/dicom-web/studies/{B}/metadata").status_code == 404


def test_two_people_under_one_identifier_are_not_shown(stored, helpers):
    """A grant by identifier gives neither when nobody can tell which is meant."""
    other = helpers.make_ct(1, study="1.2.9.9", name="AUTRE^Personne", IssuerOfPatientID="NORD")
    other.PatientBirthDate = "19900101"
    stored.store(other)
    account(stored, "me", "patient", SCOPES["patient"])
    assert listed(signed_in(stored, "me")) == set()


def test_grants_end(stored):
    """And ended ones do not open everything again."""
    ended = Grant(kind=GrantKind.STUDY, value=A)
    user = account(stored, "dr", granted=[ended])
    client = signed_in(stored, "dr")
    assert listed(client) == {A}
    with stored.services.database.connection() as connection:
        connection.execute(
            "UPDATE data_grant SET expires_at = now() WHERE user_fk = %s", (user.id,)
        )
    stored.services.access.changed()
    assert listed(client) == set()


def test_a_limited_account_gets_no_worklist(stored):
    """Workitems name patients of every study."""
    account(stored, "sec", "secretary", SCOPES["study"])
    client = signed_in(stored, "sec")
    assert client.get("/dicom-web/workitems").status_code == 403
    account(stored, "sec2", "secretary")
    assert signed_in(stored, "sec2").get("/dicom-web/workitems").status_code in (200, 204)


def test_a_limited_account_may_store_a_study_that_is_not_there(stored, helpers):
    """STOW-RS to a new study and, where one is named, to a hidden one not."""
    account(stored, "partner", "partner")
    client = signed_in(stored, "partner")
    new = helpers.make_ct(1, study="1.2.77.1", name="NEU^Neu", patient_id="P77")
    body, header = helpers.related(helpers.part10(new))
    path = "/dicom-web/studies/1.2.77.1"
    assert client.post(path, content=body, headers=header | SITE).status_code == 200
    more = helpers.make_ct(2, study=B, name="MARTIN^Luc", IssuerOfPatientID="SUD")
    body, header = helpers.related(helpers.part10(more))
    path = f"/dicom-web/studies/{B}"
    assert client.post(path, content=body, headers=header | SITE).status_code == 404


@pytest.mark.parametrize(
    "scope",
    [
        EVERYTHING,
        DataScope(),
        DataScope(issuers=frozenset({"NORD", ""})),
        DataScope(institutions=frozenset({"Hôpital Nord"}), studies=frozenset({C})),
        DataScope(departments=frozenset({"Neurologie", "x"})),
        DataScope(physicians=frozenset({"levy^anne", ""})),
        DataScope(everything=True, within=DataScope(studies=frozenset({B}))),
        DataScope(studies=frozenset({A, B}), within=DataScope(issuers=frozenset({"SUD"}))),
        DataScope(studies=frozenset({A}), within=DataScope()),
        DataScope(patient_keys=frozenset({1, 2, 3, 10**12}), within=EVERYTHING),
    ],
    ids=lambda scope: re.sub(r"[^\w=]+", " ", str(scope))[10:60],
)
def test_the_condition_is_the_policy(stored, scope):
    """The studies found by the SQL condition are those that ``may`` allows."""
    database = stored.services.database
    actor = Actor(kind="user", name="x", roles=frozenset({"clinician"}), scope=scope)
    seen = visibility.condition(scope, study="s", patient="p")
    named, parameters = visibility.condition(scope, study="s", patient="p").named("v")
    sql = "SELECT s.study_instance_uid FROM study s JOIN patient p ON p.id = s.patient_fk WHERE "
    with database.connection() as connection:
        found = {row[0] for row in connection.execute(sql + seen.sql, seen.parameters)}
        by_name = {row[0] for row in connection.execute(sql + named, parameters)}
    facts = [visibility.facts(database, study) for study in (A, B, C)]
    allowed = {one.study_instance_uid for one in facts if may(actor, Action.QUERY, resource=one)}
    assert found == by_name == allowed
    assert visibility.visible_among(database, scope, [A, B, C, "1.2.3"]) - {"1.2.3"} == allowed


# -- tokens -----------------------------------------------------------------------------------


def test_a_token_may_and_sees_no_more_than_it_is_limited_to(stored):
    """Actions and studies, both within its account's."""
    admin = stored.client("administrator")
    account(stored, "dr", granted=SCOPES["issuer"] + [Grant(kind=GrantKind.STUDY, value=C)])

    def token(**wanted):
        made = admin.post("/api/v1/users/dr/tokens", json=wanted)
        assert made.status_code == 201, made.text
        client = stored.client(None)
        client.headers = {"Authorization": f"Bearer {made.json()['token']}"}
        return client

    whole = token()
    assert listed(whole) == {A, C}
    query_only = token(actions=["query"])
    assert listed(query_only) == {A, C}
    assert query_only.get(f"/dicom-web/studies/{A}").json()["code"] == "forbidden"
    assert query_only.get("/api/v1/session").json()["functions"] == ["query", "verify"]
    two = token(grants=[{"kind": "study", "value": C}, {"kind": "study", "value": B}])
    assert listed(two) == {C}
    assert two.get(f"/dicom-web/studies/{B}/metadata").json()["code"] == "outside-scope"
    more = token(actions=["administer"])
    assert more.get("/api/v1/users").status_code == 403
    assert admin.post("/api/v1/users/dr/tokens", json={"actions": ["rule"]}).status_code == 422
    assert admin.post("/api/v1/users/dr/tokens", json={"expires_in_days": 3650}).status_code == 422


def test_tokens_are_listed_and_revoked(stored):
    """Never the token itself; the last use is told; a revoked or expired one opens nothing."""
    account(stored, "dr")
    client = signed_in(stored, "dr")
    made = client.post("/api/v1/me/tokens", json={"description": "script"}).json()["token"]
    bearer = stored.client(None)
    bearer.headers = {"Authorization": f"Bearer {made}"}
    assert bearer.get("/api/v1/me").status_code == 200
    assert bearer.post("/api/v1/me/tokens", json={}).status_code == 403  # a token makes no tokens
    (row,) = client.get("/api/v1/me/tokens").json()
    assert (row["description"], row["kind"], row["created_by"]) == ("script", "personal", "dr")
    assert row["last_used_at"] is not None
    assert made not in client.get("/api/v1/me/tokens").text
    other = account(stored, "other")
    assert other.id
    theirs = signed_in(stored, "other")
    assert theirs.request("DELETE", f"/api/v1/me/tokens/{row['id']}").status_code == 404
    assert theirs.get("/api/v1/tokens").status_code == 403
    assert client.request("DELETE", f"/api/v1/me/tokens/{row['id']}").status_code == 204
    assert bearer.get("/api/v1/me").status_code == 401
    database = stored.services.database
    expired = tokens.create(database, user_name="dr", expires_in=timedelta(seconds=-1))
    for value in (expired, made, made[:-1], made + "x", "nsc_" + "A" * 43):
        bearer.headers = {"Authorization": f"Bearer {value}"}
        assert bearer.get("/api/v1/me").status_code == 401


# -- break-glass ------------------------------------------------------------------------------


def test_break_glass(stored):
    """Refused, opened with a reason, seen for a while, told, reviewed by somebody else."""
    account(stored, "dr", granted=SCOPES["study"])
    client = signed_in(stored, "dr")
    path, wanted = "/api/v1/break-glass", {"study_instance_uid": B, "reason": REASON}
    refused = client.get(f"/dicom-web/studies/{B}/metadata")
    assert (refused.status_code, refused.json()["code"]) == (403, "outside-scope")
    for reason in ("", "  ", "urgent", "aaaaaaaaaaaaaaaa", "x" * 1001):
        assert client.post(path, json=wanted | {"reason": reason}).status_code == 422
    opened = client.post(path, json=wanted)
    assert opened.status_code == 201
    assert client.get(f"/dicom-web/studies/{B}/metadata").status_code == 200
    assert listed(client) == {A, B}
    assert client.get(f"/dicom-web/studies/{C}/metadata").status_code == 403
    (banner,) = client.get("/api/v1/session").json()["break_glass"]
    assert (banner["study_instance_uid"], banner["reason"]) == (B, REASON)
    admin = stored.client("administrator")
    assert "break-glass" in {task["kind"] for task in admin.get("/api/v1/tasks").json()}
    (row,) = admin.get(path, params={"pending": True}).json()
    assert (row["user_name"], row["reviewed_at"]) == ("dr", None)
    detail = admin.get(f"{path}/{row['id']}").json()
    assert {one["study_instance_uid"] for one in detail["seen"]} == {B}
    review = f"{path}/{row['id']}/review"
    assert client.post(review, json={"comment": "fine"}).status_code == 403
    assert admin.post(review, json={"comment": "Justifié."}).status_code == 204
    assert admin.post(review, json={"comment": "again"}).status_code == 409
    assert admin.get(path, params={"pending": True}).json() == []
    assert "break-glass" not in {task["kind"] for task in admin.get("/api/v1/tasks").json()}
    ended = client.request("DELETE", f"{path}/{row['id']}")
    assert ended.status_code == 204
    assert client.get(f"/dicom-web/studies/{B}/metadata").status_code == 403


def test_break_glass_ends_by_itself(stored):
    """At its time, without anybody's doing."""
    account(stored, "dr", granted=SCOPES["study"])
    client = signed_in(stored, "dr")
    client.post("/api/v1/break-glass", json={"study_instance_uid": B, "reason": REASON})
    assert listed(client) == {A, B}
    with stored.services.database.connection() as connection:
        connection.execute("UPDATE break_glass SET expires_at = now()")
    stored.services.access.changed()
    assert listed(client) == {A}
    assert client.get("/api/v1/session").json()["break_glass"] == []


def test_who_may_not_break_glass(stored):
    """Patients, partners, tokens, link holders; nobody reviews their own; there is a limit."""
    wanted = {"patient_id": "P3", "reason": REASON}
    for role in ("patient", "partner", "secretary", "physicist"):
        account(stored, role, role)
        client = signed_in(stored, role)
        assert client.post("/api/v1/break-glass", json=wanted).status_code == 403
    assert stored.client("clinician").post("/api/v1/break-glass", json=wanted).status_code == 403
    account(stored, "chief", "administrator", SCOPES["study"])
    chief = signed_in(stored, "chief")
    both = wanted | {"patient_id": "P1"}
    assert chief.post("/api/v1/break-glass", json=both).json()["code"] == "ambiguous-patient"
    unknown = wanted | {"patient_id": "nobody"}
    assert chief.post("/api/v1/break-glass", json=unknown).status_code == 404
    made = [chief.post("/api/v1/break-glass", json=wanted) for _ in range(11)]
    assert [one.status_code for one in made] == [201] * 10 + [429]
    number = made[0].json()["id"]
    review = f"/api/v1/break-glass/{number}/review"
    assert chief.post(review, json={"comment": "mine"}).status_code == 409


def test_another_process_learns_of_it_at_once(stored, settings):
    """What one process opened is not refused by what another remembers."""
    from negatoscope.entrypoints.web.services import Services

    account(stored, "dr", granted=SCOPES["study"])
    client = signed_in(stored, "dr")
    assert client.get(f"/dicom-web/studies/{B}/metadata").status_code == 403
    other = Services.open(settings)  # remembers by itself: another Database
    try:
        with other.database.connection() as connection:
            connection.execute(
                "INSERT INTO break_glass (user_fk, patient_fk, reason, expires_at) SELECT u.id,"
                " s.patient_fk, 'x', now() + interval '1 hour' FROM user_account u, study s"
                " WHERE u.name = 'dr' AND s.study_instance_uid = %s",
                (B,),
            )
    finally:
        other.close()
    assert client.get(f"/dicom-web/studies/{B}/metadata").status_code == 200


# -- links ------------------------------------------------------------------------------------


@pytest.fixture
def link(stored):
    """Makes links to study A, and browsers that follow them."""
    maker = stored.client("radiologist")

    def make(**wanted):
        made = maker.post("/api/v1/links", json={"study_instance_uid": A} | wanted)
        assert made.status_code == 201, made.text
        return made.json()["url"].rpartition("/")[2], made.json()["link"]["id"]

    def follow(secret, pin=None):
        client = stored.client(None)
        body = {"secret": secret} | ({} if pin is None else {"pin": pin})
        answer = client.post("/api/v1/session/link", json=body, headers=SITE)
        client.headers = dict(SITE)
        return client, answer

    make.follow = follow
    make.maker = maker
    return make


def test_a_link_shows_one_study_by_every_door(stored, link):
    """And nothing else, and no administration."""
    secret, _ = link()
    client, answer = link.follow(secret)
    told = answer.json()
    assert (told["user"]["kind"], told["study_instance_uid"]) == ("link", A)
    assert told["functions"] == ["query", "retrieve", "verify"]
    for path in doors(A):
        assert client.get(path).status_code not in (401, 403, 404), path
    for path in doors(B):
        assert client.get(path).status_code == 404, path
    assert listed(client) == {A}
    for path in ("/api/v1/users", "/api/v1/links", "/api/v1/tasks", "/metrics", "/api/v1/me/totp"):
        assert client.get(path).status_code == 403, path
    assert client.post("/dicom-web/studies", content=b"").status_code == 403


def test_links_end(stored, link):
    """Used up, revoked with the sessions that came of it, expired, guessed."""
    secret, _ = link(max_uses=1)
    assert link.follow(secret)[1].status_code == 200
    assert link.follow(secret)[1].json()["code"] == "link-refused"
    secret, number = link()
    client, _ = link.follow(secret)
    assert listed(client) == {A}
    assert link.maker.request("DELETE", f"/api/v1/links/{number}").status_code == 204
    assert client.get("/dicom-web/studies").status_code == 401
    assert link.follow(secret)[1].json()["code"] == "link-refused"
    secret, number = link()
    client, _ = link.follow(secret)
    with stored.services.database.connection() as connection:
        connection.execute("UPDATE study_link SET expires_at = now() WHERE id = %s", (number,))
    stored.services.access.changed()
    assert client.get("/dicom-web/studies").status_code == 401
    for guess in ("", "A" * 43, secret[:-1], "é", "a\x00b"):
        assert link.follow(guess)[1].json()["code"] in ("link-refused", "too-many-attempts")


def test_a_link_with_a_pin(stored, link):
    """Asked for; ten wrong ones end the link, whoever has it."""
    assert (
        link.maker.post("/api/v1/links", json={"study_instance_uid": A, "pin": "1111"}).status_code
        == 422
    )
    secret, _ = link(pin="4711")
    assert link.follow(secret)[1].json()["code"] == "pin-required"
    assert link.follow(secret, "0000")[1].json()["code"] == "link-refused"
    assert link.follow(secret, "4711")[1].status_code == 200
    with stored.services.database.connection() as connection:
        connection.execute("UPDATE study_link SET failure_count = 10")
    assert link.follow(secret, "4711")[1].json()["code"] == "link-refused"


def test_who_may_make_links_and_to_what(stored, link):
    """Only to what one sees; the others' links are not one's own."""
    account(stored, "dr", granted=SCOPES["study"])
    client = signed_in(stored, "dr")
    for study, code in ((B, "outside-scope"), ("1.2.3", "study-not-found")):
        answer = client.post("/api/v1/links", json={"study_instance_uid": study})
        assert answer.json()["code"] == code
    assert link.maker.post("/api/v1/links", json={"study_instance_uid": "1.2.3"}).status_code == 404
    long = {"study_instance_uid": A, "expires_in_hours": 24 * 91}
    assert link.maker.post("/api/v1/links", json=long).status_code == 422
    _, number = link()
    assert client.get("/api/v1/links").json() == []
    assert client.request("DELETE", f"/api/v1/links/{number}").status_code == 404
    assert len(stored.client("administrator").get("/api/v1/links").json()) == 1
    assert stored.client("physicist").post("/api/v1/links", json=long).status_code == 403


def test_a_link_leaves_traces_but_not_its_secret(stored, link):
    """Made, used, refused: in the trail; the secret is in no table."""
    secret, number = link()
    link.follow(secret)
    link.follow("wrong" * 8)
    with stored.services.database.connection() as connection:
        rows = connection.execute(
            "SELECT action, outcome, actor_name, study_instance_uid FROM audit_event"
            " WHERE action IN ('share', 'use link') ORDER BY id"
        ).fetchall()
        everything = str(connection.execute("SELECT * FROM study_link, audit_event").fetchall())
    assert rows == [
        ("share", "SUCCESS", "test-radiologist", A),
        ("use link", "SUCCESS", f"link {number}", A),
        ("use link", "REFUSED", "", None),
    ]
    assert secret not in everything


def test_the_cookie_of_a_link_is_no_account(stored, link):
    """It cannot be used to change an account or to make tokens."""
    secret, _ = link()
    client, _ = link.follow(secret)
    assert client.cookies[COOKIE].startswith("nss_")
    for path in ("/api/v1/me/tokens", "/api/v1/me/password", "/api/v1/break-glass"):
        assert client.post(path, json={}).status_code in (403, 422), path
