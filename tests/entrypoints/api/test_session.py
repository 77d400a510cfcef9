"""Signing in and out, over the wire: what is refused, what ends a session, what cannot be forged."""

import time

import pytest

from negatoscope.domain.identity import sessions, totp, users
from negatoscope.entrypoints.web.sessions import COOKIE

SITE = {"Origin": "http://archive.test", "Sec-Fetch-Site": "same-origin"}
OTHER_SITE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
PASSWORD = "quatre mots sans espace"


@pytest.fixture
def ana(served):
    """A radiologist with a password."""
    return users.create(
        served.services.database,
        name="ana",
        roles=["radiologist"],
        password=PASSWORD,
        display_name="Ana Li",
    )


def sign_in(client, name="ana", password=PASSWORD, **more):
    """One attempt from one of our own pages."""
    body = {"name": name, "password": password} | more
    return client.post("/api/v1/session", json=body, headers=SITE)


def test_sign_in_and_out(served, ana):
    """The cookie opens the door, says who it is, and is worth nothing after signing out."""
    client = served.client(None)
    assert client.get("/api/v1/session").json()["code"] == "unauthenticated"
    answer = sign_in(client)
    assert answer.status_code == 200
    told = answer.json()
    assert told["user"] == {
        "kind": "user",
        "name": "ana",
        "display_name": "Ana Li",
        "roles": ["radiologist"],
    }
    assert {"query", "retrieve", "break glass"} <= set(told["functions"])
    assert "administer" not in told["functions"]
    header = answer.headers["set-cookie"]
    assert "HttpOnly; SameSite=Strict" in header
    assert client.get("/api/v1/session").json() == told
    assert client.get("/dicom-web/studies").status_code in (200, 204)
    kept = client.cookies[COOKIE]
    ended = client.request("DELETE", "/api/v1/session", headers=SITE)
    assert ended.status_code == 200
    client.cookies.set(COOKIE, kept, domain="archive.test", path="/")
    assert client.get("/api/v1/session").status_code == 401


def test_over_tls_the_cookie_belongs_to_this_host_alone(served, settings, ana):
    """``__Host-`` and ``Secure``."""
    from negatoscope.entrypoints.web.access import Access

    public = settings.model_copy(update={"public_url": "https://archive.test"})
    served.services.access = Access(served.services.database, public, served.services.access.key)
    header = sign_in(served.client(None)).headers["set-cookie"]
    assert header.startswith(f"__Host-{COOKIE}=nss_")
    assert header.endswith("; Secure") or "; Secure;" in header


def test_a_wrong_password_and_no_account_look_the_same(served, ana):
    """Same answer; a correct one from elsewhere is not held up by them."""
    client = served.client(None)
    wrong = sign_in(client, password="something quite else")
    nobody = sign_in(client, name="nobody", password="something quite else")
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.json() == nobody.json()
    assert wrong.json()["code"] == "invalid-credentials"
    assert "set-cookie" not in wrong.headers


@pytest.mark.parametrize("name", ["a\0b", "", "\ud800", "x" * 100])
def test_names_that_cannot_be(served, name):
    """An answer, never a failure."""
    client = served.client(None)
    body = b'{"name": "\\ud800", "password": "x"}' if name == "\ud800" else None
    if body is not None:
        answer = client.post("/api/v1/session", content=body, headers=SITE)
    else:
        answer = sign_in(client, name=name, password="x")
    assert answer.status_code in (401, 422)


def test_guessing_is_slowed_down_for_one_address_only(served, ana):
    """After five failures that address waits, also with the right password; others do not."""
    client = served.client(None)
    for _ in range(5):
        assert sign_in(client, password="wrong wrong wrong").status_code == 401
    waits = sign_in(client)
    assert (waits.status_code, waits.json()["code"]) == (429, "too-many-attempts")
    assert int(waits.headers["retry-after"]) >= 1
    with served.services.database.connection() as connection:
        connection.execute("UPDATE sign_in_failure SET key = replace(key, '127.0.0.1', '10.0.0.9')")
    assert sign_in(client).status_code == 200


def test_a_session_cannot_be_fixed(served, ana):
    """Whatever cookie is brought along, signing in makes another; the old session ends."""
    client = served.client(None)
    sign_in(client)
    first = client.cookies[COOKIE]
    sign_in(client)
    second = client.cookies[COOKIE]
    assert first != second
    database = served.services.database
    assert sessions.resolve(database, served.services.access.limits, first) is None
    client.cookies.clear()
    client.cookies.set(COOKIE, "nss_chosen-by-somebody-else", domain="archive.test", path="/")
    assert sign_in(client).status_code == 200
    assert client.cookies[COOKIE] != "nss_chosen-by-somebody-else"


@pytest.mark.parametrize(
    "forged",
    ["nss_" + "A" * 43, "nss_", "", "v1.WyJhbmEiXQ.c2ln", "nsc_" + "A" * 43, "nss_" + "A" * 5000],
)
def test_a_forged_cookie_opens_nothing(served, ana, forged):
    """Nor does a token in its place."""
    client = served.client(None)
    client.cookies.set(COOKIE, forged, domain="archive.test", path="/")
    for path in ("/api/v1/session", "/api/v1/studies", "/dicom-web/studies", "/metrics"):
        assert client.get(path).status_code == 401


def test_other_sites_can_neither_sign_in_nor_change_anything(served, ana):
    """CSRF, and signing somebody in as somebody else."""
    client = served.client(None)
    body = {"name": "ana", "password": PASSWORD}
    for headers in (OTHER_SITE, {}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}):
        refused = client.post("/api/v1/session", json=body, headers=headers)
        assert refused.json()["code"] == "cross-site", headers
    sign_in(client)
    for headers in (OTHER_SITE, {}):
        assert client.post("/api/v1/me/totp", headers=headers).status_code == 401
        assert client.request("DELETE", "/api/v1/session", headers=headers).status_code == 403
    assert client.post("/api/v1/me/totp", headers=SITE).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE web_session SET seen_at = now() - interval '62 minutes'",
        "UPDATE web_session SET expires_at = now()",
        "UPDATE web_session SET ended_at = now()",
        "UPDATE user_account SET is_active = false",
        "DELETE FROM user_account",
    ],
)
def test_sessions_end(served, ana, change):
    """Idle, old, ended, its account deactivated or gone."""
    client = served.client(None)
    sign_in(client)
    assert client.get("/api/v1/session").status_code == 200
    with served.services.database.connection() as connection:
        connection.execute(change)
    sessions.forget_all(served.services.database)
    assert client.get("/api/v1/session").status_code == 401


def test_a_remembered_session_costs_no_database(served, ana):
    """Below a tenth of a millisecond, on the path of every frame."""
    client = served.client(None)
    sign_in(client)
    value, access = client.cookies[COOKIE], served.services.access
    scope = {"headers": [(b"cookie", f"{COOKIE}={value}".encode())], "method": "GET"}

    async def many():
        assert (await access.caller(scope)).actor.name == "ana"
        started = time.perf_counter()
        for _ in range(1000):
            await access.caller(scope)
        return (time.perf_counter() - started) / 1000

    import asyncio

    assert min(asyncio.new_event_loop().run_until_complete(many()) for _ in range(3)) < 0.0001


def test_a_changed_password_ends_the_other_sessions(served, ana):
    """And is refused when it is weak, the same, or the current one is wrong."""
    here, there = served.client(None), served.client(None)
    sign_in(here)
    sign_in(there)
    path = "/api/v1/me/password"
    new = "encore quatre mots"

    def change(current, wanted):
        body = {"current": current, "new": wanted}
        return here.post(path, json=body, headers=SITE)

    assert change("not this one", new).json()["code"] == "invalid-credentials"
    for weak, reason in (
        ("short", "too-short"),
        ("password1234", "common"),
        ("qwertyuiopas", "common"),
        ("P4$$w0rdP4$$w0rd", "common"),
        ("aaaaaaaaaaaaaa", "too-simple"),
        ("ana-negatoscope!", "name"),
        (PASSWORD, "same"),
    ):
        refused = change(PASSWORD, weak)
        assert refused.json()["reason"] == reason, weak
    assert change(PASSWORD, new).status_code == 200
    assert here.get("/api/v1/session").status_code == 200
    assert there.get("/api/v1/session").status_code == 401
    assert sign_in(there).status_code == 401
    assert sign_in(there, password=new).status_code == 200


def test_a_password_somebody_else_chose_must_be_changed_first(served):
    """Until then the session may do nothing but that."""
    users.create(
        served.services.database,
        name="new",
        roles=["radiologist"],
        password=PASSWORD,
        must_change_password=True,
    )
    client = served.client(None)
    told = sign_in(client, name="new").json()
    assert told["required"] == ["change-password"]
    assert told["functions"] == ["verify"]
    assert client.get("/api/v1/studies").status_code == 403
    body = {"current": PASSWORD, "new": "mes quatre autres mots"}
    told = client.post("/api/v1/me/password", json=body, headers=SITE).json()
    assert told["required"] == []
    assert client.get("/api/v1/studies").status_code == 200


def current_code(secret_base32, offset=0):
    """What an authenticator shows, by its own arithmetic (RFC 6238)."""
    import base64

    return totp.code(base64.b32decode(secret_base32), int(time.time()) // 30 + offset)


def test_a_second_factor(served, ana):
    """Enrolled by a code, asked for at the door, taken once, replaced by a recovery code once."""
    client = served.client(None)
    sign_in(client)
    enrolment = client.post("/api/v1/me/totp", headers=SITE).json()
    assert enrolment["otpauth_uri"].startswith("otpauth://totp/Negatoscope%20NEGATOSCOPE%3Aana?")
    confirm = "/api/v1/me/totp/confirm"
    assert client.post(confirm, json={"code": "000000"}, headers=SITE).status_code == 401
    code = current_code(enrolment["secret"])
    confirmed = client.post(confirm, json={"code": code}, headers=SITE)
    codes = confirmed.json()["recovery_codes"]
    assert len(set(codes)) == 10
    other = served.client(None)
    assert sign_in(other).json()["code"] == "totp-required"
    assert sign_in(other, totp=code).json()["code"] == "invalid-credentials"  # was used
    assert sign_in(other, totp=current_code(enrolment["secret"], 5)).status_code == 401
    assert sign_in(other, totp=current_code(enrolment["secret"], 1)).status_code == 200
    assert sign_in(other, totp=codes[0].upper()).status_code == 200
    assert sign_in(other, totp=codes[0]).status_code == 401
    assert client.get("/api/v1/me/totp").json() == {
        "enabled": True,
        "required": False,
        "recovery_codes_left": 9,
    }
    assert client.post("/api/v1/me/totp", headers=SITE).json()["code"] == "conflict"
    remove = "/api/v1/me/totp/remove"
    assert client.post(remove, json={"password": "wrong"}, headers=SITE).status_code == 401
    assert client.post(remove, json={"password": PASSWORD}, headers=SITE).status_code == 204
    assert sign_in(other).status_code == 200


def test_rfc_6238_vectors():
    """Appendix B, SHA-1, the last six digits."""
    secret = b"12345678901234567890"
    vectors = {59: "287082", 1111111109: "081804", 2000000000: "279037", 20000000000: "353130"}
    assert {at: totp.code(secret, at // 30) for at in vectors} == vectors


def test_a_copy_of_the_database_makes_no_code(served, ana):
    """The secret is sealed; with another key it is none."""
    database = served.services.database
    made = totp.begin(database, b"a" * 32, user_id=ana.id, user_name="ana", issuer="Negatoscope")
    code = current_code(made.secret)
    assert totp.confirm(database, b"b" * 32, user_id=ana.id, given=code) is None
    assert totp.confirm(database, b"a" * 32, user_id=ana.id, given=code) is not None


def test_a_role_can_require_a_second_factor(served, settings, ana):
    """Nothing may be done before."""
    identity = settings.identity.model_copy(update={"totp_roles": ("radiologist",)})
    from negatoscope.entrypoints.web.access import Access

    strict = settings.model_copy(update={"identity": identity})
    served.services.access = Access(served.services.database, strict, served.services.access.key)
    served.application._take(served.services)
    client = served.client(None)
    told = sign_in(client).json()
    assert (told["required"], told["functions"]) == (["enrol-totp"], ["verify"])
    secret = client.post("/api/v1/me/totp", headers=SITE).json()["secret"]
    body = {"code": current_code(secret)}
    assert client.post("/api/v1/me/totp/confirm", json=body, headers=SITE).status_code == 200
    assert "query" in client.get("/api/v1/session").json()["functions"]


def test_sessions_are_listed_and_ended_by_their_owner(served, ana):
    """Address and browser are told; another account's cannot be ended."""
    users.create(served.services.database, name="bob", roles=["clinician"], password=PASSWORD)
    here, there, bob = served.client(None), served.client(None), served.client(None)
    there.headers["User-Agent"] = "Ward PC\r\nX: y".replace("\r\n", " ")
    for client, name in ((here, "ana"), (there, "ana"), (bob, "bob")):
        sign_in(client, name=name)
    rows = here.get("/api/v1/me/sessions").json()
    assert [row["user_name"] for row in rows] == ["ana", "ana"]
    (other,) = [row for row in rows if not row["is_this_one"]]
    assert (other["agent"], other["peer"]) == ("Ward PC X: y", "127.0.0.1")
    path = f"/api/v1/me/sessions/{other['id']}"
    assert bob.request("DELETE", path, headers=SITE).status_code == 404
    assert here.request("DELETE", path, headers=SITE).status_code == 204
    assert there.get("/api/v1/session").status_code == 401
    assert here.request("DELETE", "/api/v1/me/sessions", headers=SITE).status_code == 204
    assert here.get("/api/v1/session").status_code == 200


def test_a_token_is_no_session(served):
    """It says who asks, and cannot change the account."""
    client = served.client("clinician")
    assert client.get("/api/v1/session").json()["user"]["name"] == "test-clinician"
    assert client.post("/api/v1/me/totp").status_code == 403
    assert client.get("/api/v1/me/sessions").status_code == 403


def test_set_up(served):
    """The first account is made by the link, once, and is signed in."""
    from negatoscope.domain.identity import setup

    client = served.client(None)
    assert client.get("/api/v1/session/providers").json()["needs_setup"] is True
    secret = setup.create(served.services.database)
    assert client.get(f"/api/v1/session/setup/{secret}").json() == {"valid": True}
    assert client.get("/api/v1/session/setup/other").json() == {"valid": False}
    body = {"secret": secret, "name": "chief", "password": "short"}
    path = "/api/v1/session/setup"
    assert client.post(path, json=body, headers=SITE).json()["code"] == "weak-password"
    body["password"] = PASSWORD
    assert client.post(path, json=body, headers=OTHER_SITE).json()["code"] == "cross-site"
    told = client.post(path, json=body, headers=SITE).json()
    assert "administer" in told["functions"]
    assert client.post(path, json=body, headers=SITE).json()["code"] == "link-refused"
    assert client.get("/api/v1/session/providers").json()["needs_setup"] is False


def test_signing_in_is_in_the_trail(served, ana):
    """Successes and refusals."""
    client = served.client(None)
    sign_in(client, password="wrong wrong wrong")
    sign_in(client)
    client.request("DELETE", "/api/v1/session", headers=SITE)
    with served.services.database.connection() as connection:
        rows = connection.execute(
            "SELECT actor_kind, actor_name, action, outcome FROM audit_event ORDER BY id"
        ).fetchall()
    assert rows == [
        ("anonymous", "ana", "sign in", "REFUSED"),
        ("user", "ana", "sign in", "SUCCESS"),
        ("user", "ana", "sign out", "SUCCESS"),
    ]
