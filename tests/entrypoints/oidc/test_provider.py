"""Signing in at a stranger's provider (npm oidc-provider), and at one that lies."""

import base64
import hashlib
import hmac
import html
import http.server
import json
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from negatoscope.domain.identity import federation, sessions, users
from negatoscope.domain.identity.errors import NoRoleForYou
from negatoscope.entrypoints.api.providers import local_path
from negatoscope.entrypoints.web.app import create_app
from negatoscope.entrypoints.web.sessions import COOKIE
from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.oidc import Provider, ProviderRefused, ProviderUnavailable
from negatoscope.infra.oidc.client import BACKCHANNEL_EVENT
from negatoscope.infra.settings import ProviderSettings, RoleRule, Settings

HERE = Path(__file__).parent
ORIGIN = "http://archive.test"
CALLBACK = "/api/v1/session/oidc/hospital/callback"
SITE = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
PASSWORD = "quatre mots sans espace"
RULES = (
    RoleRule(claim="realm_access.roles", value="radiologue", role="radiologist"),
    RoleRule(claim="realm_access.roles", value="secretaire", role="secretary"),
)


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """The stranger's program, fetched by npm."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NO PROVIDER: node or npm is not on this machine")
    folder = tmp_path_factory.mktemp("oidc")
    for name in ("package.json", "package-lock.json", "provider.mjs"):
        shutil.copy(HERE / name, folder)
    done = subprocess.run(
        ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"NO PROVIDER: npm cannot fetch oidc-provider: {done.stderr[-300:]}")
    return folder


class Running:
    """The provider's process; can be stopped, and started again with another key."""

    def __init__(self, folder, port, back):
        self.folder, self.port, self.back = folder, port, back
        self.process = None
        self.issuer = f"http://127.0.0.1:{port}"

    def start(self, kid):
        self.process = subprocess.Popen(
            ["node", "provider.mjs", str(self.port), ORIGIN + CALLBACK, self.back, kid],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert any("ready" in line for line in self.process.stdout)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def provider(node, free_port):
    """A provider that runs."""
    back = f"{ORIGIN}/api/v1/session/oidc/hospital/backchannel-logout"
    running = Running(node, free_port, back)
    running.start("first")
    yield running
    running.stop()


def configured(settings, issuer, **more):
    """Settings with that provider."""
    one = ProviderSettings(
        name="hospital", issuer=issuer, client_id="negatoscope",
        client_secret="a secret of the test", rules=RULES, **more,
    )  # fmt: skip
    identity = settings.identity.model_copy(update={"providers": (one,)})
    return settings.model_copy(update={"identity": identity, "public_url": ORIGIN})


@pytest.fixture
def app(served, settings):
    """Makes the application know a provider."""

    def make(issuer, **more):
        served.services.settings = configured(settings, issuer, **more)
        served.application = create_app(served.services.settings, served.services)
        return served

    return make


def at_provider(url, login):
    """What a browser does there: signs in, consents, is sent back. Returns the address."""
    with httpx.Client(follow_redirects=False, timeout=20) as browser:
        answer = browser.get(url)
        for _ in range(12):
            if answer.is_redirect:
                target = str(httpx.URL(url).join(answer.headers["location"]))
                if target.startswith(ORIGIN):
                    return target
                answer = browser.get(target)
                continue
            action = html.unescape(re.search(r'action="([^"]+)"', answer.text)[1])
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)[1]
            data = {"prompt": prompt, "login": login, "password": "x"}
            answer = browser.post(str(httpx.URL(url).join(action)), data=data)
    raise AssertionError(answer.text[:500])


def begin(client, following="/studies"):
    """The way there."""
    answer = client.get(f"/api/v1/session/oidc/hospital?{urlencode({'next': following})}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def sign_in(client, login, following="/studies"):
    """There and back."""
    back = at_provider(begin(client, following), login)
    return client.get(back.removeprefix(ORIGIN))


@pytest.mark.stranger
def test_there_and_back(app, provider):
    """The code flow with PKCE; roles by the claims; the same account the next time."""
    served = app(provider.issuer)
    client = served.client(None)
    (known,) = client.get("/api/v1/session/providers").json()["oidc"]
    assert (known["name"], known["available"]) == ("hospital", True)
    query = parse_qs(urlsplit(begin(client)).query)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["nonce"][0]) >= 43
    answer = sign_in(client, "ana")
    assert (answer.status_code, answer.headers["location"]) == (303, "/studies")
    told = client.get("/api/v1/session").json()
    assert (told["user"]["name"], told["user"]["roles"]) == ("ana", ["radiologist"])
    assert told["user"]["display_name"] == "Person ana"
    assert told["method"] == "provider hospital"
    other = served.client(None)
    sign_in(other, "ana")
    assert len(users.list_users(served.services.database)) == 1
    out = client.request("DELETE", "/api/v1/session", headers=SITE).json()
    assert out["provider_url"].startswith(f"{provider.issuer}/session/end?")
    assert "id_token_hint=" in out["provider_url"]
    assert client.get("/api/v1/session").status_code == 401


@pytest.mark.stranger
def test_no_account_is_taken_over_by_its_name(app, provider):
    """A local administrator called ana stays another person than the provider's ana."""
    served = app(provider.issuer)
    database = served.services.database
    users.create(database, name="ana", roles=["administrator"], password=PASSWORD)
    client = served.client(None)
    sign_in(client, "ana")
    user = client.get("/api/v1/session").json()["user"]
    assert re.fullmatch(r"ana-[0-9a-f]{8}", user["name"])
    assert user["roles"] == ["radiologist"]
    assert users.get(database, "ana").roles == {"administrator"}


@pytest.mark.stranger
def test_nobody_without_a_role_and_nobody_deactivated(app, provider):
    """The sign-in page is told; no session, no account."""
    served = app(provider.issuer)
    client = served.client(None)
    answer = sign_in(client, "eve")
    assert answer.headers["location"] == "/sign-in?error=provider-refused"
    assert users.list_users(served.services.database) == []
    users.create(served.services.database, name="root", roles=["administrator"])
    sign_in(client, "bob")
    users.change(served.services.database, name="bob", is_active=False)
    served.services.access.changed()
    assert client.get("/api/v1/session").status_code == 401
    assert "error=" in sign_in(client, "bob").headers["location"]


@pytest.mark.stranger
def test_keys_change(app, provider, monkeypatch):
    """After the provider's key was changed a sign-in looks the keys up anew."""
    monkeypatch.setattr("negatoscope.infra.oidc.client.RETRY_S", 0.0)
    served = app(provider.issuer)
    sign_in(served.client(None), "ana")
    provider.stop()
    provider.start("second")
    client = served.client(None)
    assert sign_in(client, "ana").headers["location"] == "/studies"
    assert client.get("/api/v1/session").status_code == 200


@pytest.mark.stranger
def test_the_provider_is_down(app, provider, monkeypatch):
    """It is shown as such; the emergency account signs in with its password, others do not."""
    monkeypatch.setattr("negatoscope.infra.oidc.client.METADATA_S", 0.0)
    served = app(provider.issuer)
    identity = served.services.settings.identity.model_copy(update={"local_sign_in": "emergency"})
    served.services.settings = served.services.settings.model_copy(update={"identity": identity})
    database = served.services.database
    for name in ("usual", "urgence"):
        users.create(database, name=name, roles=["administrator"], password=PASSWORD)
    users.change(database, name="urgence", is_emergency=True)
    provider.stop()
    client = served.client(None)
    started = time.monotonic()
    (known,) = client.get("/api/v1/session/providers").json()["oidc"]
    assert known["available"] is False
    assert time.monotonic() - started < 6
    answer = client.get("/api/v1/session/oidc/hospital")
    assert answer.headers["location"] == "/sign-in?error=provider-unavailable"
    for name, code in (("usual", "local-sign-in-closed"), ("urgence", None)):
        body = {"name": name, "password": PASSWORD}
        answer = client.post("/api/v1/session", json=body, headers=SITE)
        assert answer.json().get("code") == code
    assert "administer" in client.get("/api/v1/session").json()["functions"]
    provider.start("first")


@pytest.mark.stranger
def test_a_redirect_of_somebody_else(app, provider):
    """Another browser's, a replayed one, another state, none: no session."""
    served = app(provider.issuer)
    client, thief = served.client(None), served.client(None)
    back = at_provider(begin(client), "ana").removeprefix(ORIGIN)
    refused = "/sign-in?error=provider-refused"
    assert thief.get(back).headers["location"] == refused  # forced on, or stolen by, another one
    begin(thief)
    assert thief.get(back).headers["location"] == refused
    wrong = re.sub(r"state=[^&]+", "state=wrong", back)
    assert client.get(wrong).headers["location"] == refused
    begin(client)  # the browser began anew: the state before is not its own any more
    assert client.get(back).headers["location"] == refused
    back = at_provider(begin(client), "ana").removeprefix(ORIGIN)
    assert client.get(back).headers["location"] == "/studies"
    client.cookies.delete(COOKIE)
    assert client.get(back).headers["location"] == refused
    for query in ("", "?code=x", "?error=access_denied&state=x", "?code=x&state=%00"):
        assert client.get(CALLBACK + query).headers["location"] == refused
    assert client.get("/api/v1/session/oidc/other").status_code == 404


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)",
     "/x\r\nset-cookie: a=b", "studies", "", "/é", "/" + "x" * 1001, "/\t/evil"],
)  # fmt: skip
def test_no_open_redirect(elsewhere):
    """Only paths of this site are gone to afterwards."""
    assert local_path(elsewhere) == "/"
    assert local_path("/view?studyUID=1.2.3&x=/y") == "/view?studyUID=1.2.3&x=/y"


# -- a provider that lies ---------------------------------------------------------------------


class Liar(http.server.ThreadingHTTPServer):
    """Serves a document, keys and whatever token it is told to."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answers)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/me",
        }
        self.token = ""
        self.userinfo = {"sub": "ana"}
        self.raw = {}

    def claims(self, **change):
        now = int(time.time())
        found = {"iss": self.issuer, "aud": "negatoscope", "sub": "ana", "nonce": "n"}
        found |= {"iat": now, "exp": now + 60}
        return {k: v for k, v in (found | change).items() if v is not ...}

    def sign(self, claims, key=None, **header):
        header = {"alg": "RS256", "kid": "one"} | header
        return jwt.encode(header, claims, key or self.key, algorithms=[header["alg"]])


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        liar = self.server
        known = {
            "/.well-known/openid-configuration": liar.document,
            "/jwks": {"keys": [liar.key.as_dict(private=False)]},
            "/me": liar.userinfo,
            "/token": {"access_token": "at", "token_type": "Bearer", "id_token": liar.token},
        }
        raw = liar.raw.get(self.path)
        status, body = raw or (200, json.dumps(known[self.path]).encode())
        self.send_response(status)
        if status == 302:
            self.send_header("location", "http://127.0.0.1:1/")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def liar():
    server = Liar()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def party(liar, **more):
    """We, with that provider."""
    return Provider(
        ProviderSettings(name="liar", issuer=liar.issuer, client_id="negatoscope", **more)
    )


def finish(ours, **change):
    """The second half of a sign-in."""
    given = {"code": "c", "issuer": None, "nonce": "n", "code_verifier": "v", "redirect_uri": "r"}
    return ours.finish(**(given | change))


def test_an_honest_answer_is_taken(liar):
    """The measure of the refusals below."""
    digest = hashlib.sha256(b"at").digest()[:16]
    at_hash = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    several = {"aud": ["negatoscope", "x"], "azp": "negatoscope", "at_hash": at_hash}
    for change in ({}, several, {"nbf": int(time.time()) + 30}, {"exp": int(time.time()) - 30}):
        liar.token = liar.sign(liar.claims(**change))
        assert finish(party(liar)).subject == "ana"
    assert finish(party(liar), issuer=liar.issuer).subject == "ana"


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "http://127.0.0.1:1"}, {"iss": ...}, {"aud": "other"}, {"aud": ["other"]}, {"aud": ...},
        {"aud": ["negatoscope", "other"]}, {"azp": "other"}, {"nonce": "other"}, {"nonce": ...},
        {"exp": 1_600_000_000}, {"exp": ...}, {"exp": "never"}, {"exp": True}, {"iat": 4_102_444_800}, {"iat": ...},
        {"nbf": 4_102_444_800}, {"nbf": "x"}, {"sub": ...}, {"sub": ""}, {"sub": 7}, {"sub": "x" * 256},
        {"at_hash": "AAAA"},
    ],
    ids=str,
)  # fmt: skip
def test_claims_that_do_not_hold(liar, change):
    """Issuer, audience, party, nonce, times, subject, access token."""
    liar.token = liar.sign(liar.claims(**change))
    with pytest.raises(ProviderRefused):
        finish(party(liar))


def test_signatures_that_do_not_hold(liar):
    """None, a shared secret, the public key as a secret, another key, cut, changed."""
    honest = liar.sign(liar.claims())
    head, body, signature = honest.split(".")

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    other = RSAKey.generate_key(2048, {"kid": "one"})
    secret = OctKey.import_key("a secret of the test which is long enough")
    swapped = f"{part({'alg': 'HS256', 'kid': 'one'})}.{body}"
    mac = hmac.digest(liar.key.as_pem(private=False), swapped.encode(), "sha256")
    forged = [
        f"{part({'alg': 'none'})}.{body}.",
        f"{part({'alg': 'None', 'kid': 'one'})}.{body}.{signature}",
        liar.sign(liar.claims(), secret, alg="HS256"),
        f"{swapped}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}",
        liar.sign(liar.claims(), other),
        liar.sign(liar.claims(), other, kid="two", jwk=other.as_dict(private=False)),
        f"{head}.{part(liar.claims(sub='bob'))}.{signature}",
        f"{head}.{body}.", f"{head}.{body}", "", "a.b.c", "é.é.é", "x" * 200_000,
    ]  # fmt: skip
    for token in forged:
        liar.token = token
        with pytest.raises(ProviderRefused):
            finish(party(liar))


def test_other_lies(liar):
    """Another issuer in the redirect, userinfo of another, a weaker sign-in, an error as answer."""
    liar.token = liar.sign(liar.claims())
    with pytest.raises(ProviderRefused, match="another issuer"):
        finish(party(liar), issuer="https://other.example")
    liar.document["authorization_response_iss_parameter_supported"] = True
    with pytest.raises(ProviderRefused, match="does not say"):
        finish(party(liar))
    del liar.document["authorization_response_iss_parameter_supported"]
    with pytest.raises(ProviderRefused, match="not as strong"):
        finish(party(liar, acr_values="eidas2"))
    liar.userinfo = {"sub": "bob", "realm_access": {"roles": ["radiologue"]}}
    with pytest.raises(ProviderRefused, match="somebody else"):
        finish(party(liar))
    liar.raw["/token"] = (400, b'{"error":"invalid_grant"}')
    with pytest.raises(ProviderRefused):
        finish(party(liar))


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://other.example"}, {"issuer": ...}, {"token_endpoint": ...},
        {"token_endpoint": "http://10.0.0.1/token"}, {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "ftp://127.0.0.1/"}, {"userinfo_endpoint": "http://169.254.169.254/latest"},
        {"authorization_endpoint": "https://user:x@idp.example/"}, {"token_endpoint": 7},
    ],
    ids=str,
)  # fmt: skip
def test_documents_that_lead_elsewhere(liar, change):
    """Nothing is asked that the document names where it must not."""
    liar.document |= change
    liar.document = {k: v for k, v in liar.document.items() if v is not ...}
    with pytest.raises(ProviderUnavailable):
        party(liar).start("r")


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>"), (200, b"[]"), (500, b"{}"), (302, b""), (200, b"x" * ((1 << 20) + 1))],
)
def test_documents_that_are_none(liar, status, body):
    """Not JSON, not an object, an error, a redirect, too long: unavailable, no failure."""
    liar.raw["/.well-known/openid-configuration"] = (status, body)
    with pytest.raises(ProviderUnavailable):
        party(liar).start("r")


def test_link_local_addresses_are_never_asked():
    """A provider by https whose name leads to a metadata service."""
    for host in ("169.254.169.254", "[fe80::1]", "127.0.0.1", "224.0.0.1"):
        ours = Provider(ProviderSettings(name="x", issuer=f"https://{host}/r", client_id="c"))
        with pytest.raises(ProviderUnavailable, match=r"not to be asked|own|not answer"):
            ours.start("r")


@pytest.mark.parametrize(
    "issuer",
    ["http://idp.example", "https://u:p@idp.example", "https://idp.example?x", "idp", "ftp://x"],
)
def test_issuers_that_cannot_be(issuer, tmp_path, monkeypatch):
    """The start stops; the message names the setting."""
    one = {"name": "x", "issuer": issuer, "client_id": "c"}
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="identity"):
        Settings.load(data_dir=tmp_path, identity={"providers": [one]})


def test_logout_from_the_provider(liar, app, helpers):
    """A logout token ends the session it names, or all of a subject; nothing else does."""
    served = app(liar.issuer)
    database, limits = served.services.database, served.services.access.limits
    one = served.services.settings.identity.providers[0]
    claims = {"realm_access": {"roles": ["radiologue"]}, "preferred_username": "ana"}
    user = federation.account_of(database, one, issuer=liar.issuer, subject="ana", claims=claims)

    def session(sid):
        return sessions.create(
            database,
            limits,
            user_id=user.id,
            method="provider hospital",
            issuer=liar.issuer,
            provider_sid=sid,
        )

    def logout(**change):
        event = {"events": {BACKCHANNEL_EVENT: {}}, "nonce": ...}
        token = liar.sign(liar.claims(**(event | change)))
        return served.client(None).post(
            "/api/v1/session/oidc/hospital/backchannel-logout", data={"logout_token": token}
        )

    first, second = session("s1"), session("s2")
    assert logout(events=...).status_code == 400  # an ID token is no logout token
    assert logout(nonce="n").status_code == 400
    assert logout(aud="other").status_code == 400
    assert sessions.resolve(database, limits, first) is not None
    assert logout(sid="s1").status_code == 200
    assert sessions.resolve(database, limits, first) is None
    assert sessions.resolve(database, limits, second) is not None
    assert logout().status_code == 200
    assert sessions.resolve(database, limits, second) is None


# -- roles by claims --------------------------------------------------------------------------


def test_claims_of_keycloak_and_pro_sante_connect():
    """Paths through objects and lists, names with dots."""
    keycloak = {"realm_access": {"roles": ["a", "radiologue"]}, "groups": ["/imagerie/nord"]}
    psc = {"SubjectRefPro": {"exercices": [{"codeProfession": "10"}, {"codeProfession": "21"}]}}
    named = {"https://idp.example/roles": ["x"], "email_verified": True}
    values = federation.values_at
    assert set(values(keycloak, "realm_access.roles")) == {"a", "radiologue"}
    assert list(values(keycloak, "groups")) == ["/imagerie/nord"]
    assert list(values(psc, "SubjectRefPro.exercices.codeProfession")) == ["10", "21"]
    assert list(values(named, "https://idp.example/roles")) == ["x"]
    assert list(values(named, "email_verified")) == ["true"]
    assert list(values({"a": {"b": {"c": None}}}, "a.b.c")) == []
    deep = "x"
    for _ in range(500):
        deep = [deep]
    assert list(values({"a": deep}, "a")) == []


def test_rules_give_and_take(served, settings):
    """Roles and scope follow the claims at each sign-in."""
    rules = (
        RoleRule(claim="site", value="nord", role="clinician", institution="Hôpital Nord"),
        RoleRule(claim="site", value="tous", role="radiologist"),
    )
    one = ProviderSettings(name="p", issuer="https://idp.example", client_id="c", rules=rules)
    database = served.services.database

    def account(**claims):
        return federation.account_of(
            database,
            one,
            issuer=one.issuer,
            subject="s",
            claims={"preferred_username": "a b/c"} | claims,
        )

    def scope():
        cookie = sessions.create(
            database,
            served.services.access.limits,
            user_id=users.get(database, "a-b-c").id,
            method="provider p",
        )
        return sessions.resolve(database, served.services.access.limits, cookie).actor.data_scope

    assert account(site="nord").roles == {"clinician"}
    assert scope().institutions == {"Hôpital Nord"}
    assert account(site=["nord", "tous"]).roles == {"clinician", "radiologist"}
    assert scope().is_everything
    with pytest.raises(NoRoleForYou):
        account(site="sud")
    closed = one.model_copy(update={"create_accounts": False})
    with pytest.raises(NoRoleForYou):
        federation.account_of(database, closed, issuer="i", subject="t", claims={"site": "nord"})
    federation.link(database, name="a-b-c", issuer="i", subject="t")
    linked = federation.account_of(
        database, closed, issuer="i", subject="t", claims={"site": "nord"}
    )
    assert linked.name == "a-b-c"
