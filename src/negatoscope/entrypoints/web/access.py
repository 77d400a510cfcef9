"""Who asks, whether they may, and the note of it: the same for every HTTP route.

A request is made by the owner of its bearer token (RFC 6750) or of its session cookie. A session
counts for reading anywhere, and for changes only from this site's own pages.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import psycopg
import structlog

from negatoscope.domain.archive import visibility
from negatoscope.domain.identity import Action, Actor, StudyFacts, may, sessions, tokens
from negatoscope.domain.identity.sessions import Session
from negatoscope.entrypoints.web.asgi import Request, Scope
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.sessions import SessionCookie
from negatoscope.infra import metrics
from negatoscope.infra.db import Database
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.infra.settings import Settings
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers import audit

CHALLENGE: Final = 'Bearer realm="negatoscope"'
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FACTS_S = 5.0
_FACTS_GOOD_S = 30.0
_REMEMBERED_COUNT = 4096
_CONTEXT: Final = "/api/v1/context"
_STUDY_IN_PATH = re.compile(r"/(?:dicom-web|api/v1)/studies/([0-9.]{1,64})(?:/|$)")
_log = structlog.get_logger(__name__)
_REFUSED = metrics.REFUSALS.labels("http", "forbidden")
_UNAUTHENTICATED = metrics.REFUSALS.labels("http", "unauthenticated")


class Forbidden(Problem):
    """403, to be noted in the audit trail.

    Args:
        action: What was asked.
        study_instance_uid: Of what, if of a study.
    """

    def __init__(
        self, action: Action, study_instance_uid: str | None, *, code: str = "forbidden"
    ) -> None:
        super().__init__(code)
        self.action = action
        self.study_instance_uid = study_instance_uid


class OutsideScope(Forbidden):
    """403: the account's role may, but not with this study; it may break the glass."""

    def __init__(self, action: Action, study_instance_uid: str) -> None:
        super().__init__(action, study_instance_uid, code="outside-scope")
        self.extra = {"study_instance_uid": study_instance_uid}


class Hidden(Forbidden):
    """404: not even that the study exists is told."""

    def __init__(self, action: Action, study_instance_uid: str) -> None:
        super().__init__(action, study_instance_uid, code="study-not-found")


class Caller(NamedTuple):
    """Who makes a request."""

    actor: Actor
    session: Session | None = None
    cookie: str | None = None
    """The value of the session's cookie."""


class _Facts:
    """What is known of studies, bounded; of a study that is not there nothing is kept."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[float, StudyFacts]] = OrderedDict()

    def get(self, study_instance_uid: str, age_s: float) -> StudyFacts | None:
        entry = self._entries.get(study_instance_uid)
        return None if entry is None or time.monotonic() - entry[0] > age_s else entry[1]

    def put(self, facts: StudyFacts) -> None:
        self._entries[facts.study_instance_uid] = (time.monotonic(), facts)
        self._entries.move_to_end(facts.study_instance_uid)
        while len(self._entries) > _REMEMBERED_COUNT:
            self._entries.popitem(last=False)


class Access:
    """Authentication, authorisation and audit of one process.

    Args:
        database: Accounts, tokens, audit trail.
        settings: How long sessions last, who sees what.
        key: That seals second factors.
    """

    def __init__(self, database: Database, settings: Settings, key: bytes) -> None:
        self._database = database
        identity = settings.identity
        self.key = key
        self.cookie = SessionCookie(secure=settings.is_https_only)
        self.limits = sessions.Limits(
            idle_s=identity.session_idle_s,
            absolute_s=identity.session_absolute_s,
            totp_roles=frozenset(identity.totp_roles),
            limited_roles=frozenset(identity.limited_roles),
        )
        self._facts = _Facts()
        self._reads = audit.ReadRecorder(database)
        self._noted: dict[tuple[str, str, str | None, str, str], dict[str, Any]] = {}
        self._minute = 0
        self._refused_peers: set[tuple[str, int]] = set()

    async def caller(self, scope: Scope, *, touch: bool = True) -> Caller | None:
        """Who makes this request; None when it carries no credential that is good.

        Args:
            touch: Whether the person does something; an open stream is no sign of life.
        Raises:
            DatabaseUnavailable: accounts cannot be looked up.
        """
        authorization = cookies = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value
            elif name == b"cookie":
                cookies = cookies + b"; " + value if cookies else value
        if authorization:
            actor = await self._by_bearer(authorization)
            if actor is None:
                await self._note_bad_credential(scope)
                return None
            return Caller(actor)
        if cookies:
            return await self._by_cookie(scope, cookies.decode("latin-1"), touch=touch)
        return None

    async def _note_bad_credential(self, scope: Scope) -> None:
        """Note that somebody presented a token that is none: one row per address and minute.

        That it cannot be noted opens no door: the answer is 401 either way.
        """
        client = scope.get("client")
        peer, minute = str(client[0]) if client else "", int(time.time() // 60)
        key = (peer, minute)
        if key in self._refused_peers:
            return
        if len(self._refused_peers) >= _REMEMBERED_COUNT:
            self._refused_peers.clear()
        self._refused_peers.add(key)
        try:
            await run_blocking(self._record_bad_credential, peer, minute)
        except (DatabaseUnavailable, psycopg.Error):
            _log.warning("http.refusal_not_noted", peer=peer)

    def _record_bad_credential(self, peer: str, minute: int) -> None:
        with self._database.connection() as connection:
            audit.record_in(
                connection,
                actor=Actor.anonymous(),
                action="authenticate",
                outcome=audit.Outcome.REFUSED,
                peer=peer,
                credential="token",
                reason="the token is unknown, has ended or was revoked",
                coalesce_key=f"authenticate|{peer}|{minute}",
            )

    async def _by_bearer(self, authorization: bytes) -> Actor | None:
        scheme, _, token = authorization.decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token.strip()
        actor = tokens.remembered(self._database, token)
        return actor or await run_blocking(
            tokens.resolve, self._database, token, limited_roles=self.limits.limited_roles
        )

    async def _by_cookie(self, scope: Scope, cookies: str, *, touch: bool) -> Caller | None:
        value = cookie(cookies, self.cookie.name)
        if not value or (scope["method"] not in SAFE_METHODS and not same_origin(scope)):
            return None
        session = sessions.remembered(self._database, value)
        if session is None:
            session = await run_blocking(
                sessions.resolve, self._database, self.limits, value, touch=touch
            )
        return None if session is None else Caller(session.actor, session, value)

    async def prepare(self, caller: Caller, path: str) -> Actor:
        """Look up what a decision about the study of a path will need, off the event loop.

        Returns: Who asks; looked up anew when what this process knew would be refused, since
            another one may have opened the file.
        """
        actor = caller.actor
        if actor.data_scope.is_everything:
            return actor
        found = _STUDY_IN_PATH.match(path)
        if caller.cookie is None or (found is None and path != _CONTEXT):
            if found is not None:
                await self._look_up(found[1])
            return actor
        if found is not None:
            facts = await self._look_up(found[1])
            if facts is None or actor.data_scope.covers(facts):
                return actor
        sessions.forget(self._database, caller.cookie)
        anew = await run_blocking(sessions.resolve, self._database, self.limits, caller.cookie)
        return actor if anew is None else anew.actor

    async def _look_up(self, study_instance_uid: str) -> StudyFacts | None:
        facts = self._facts.get(study_instance_uid, _FACTS_S)
        if facts is None:
            facts = await run_blocking(visibility.facts, self._database, study_instance_uid)
            if facts is not None:
                self._facts.put(facts)
        return facts

    def require(
        self, actor: Actor, action: Action, *, study_instance_uid: str | None = None
    ) -> None:
        """Ask the policy; for an actor with a limited scope, ``prepare`` has looked the study up.

        Raises:
            Forbidden: it says no, or nothing is known of the study.
        """
        if not may(actor, action):
            _REFUSED.inc()
            raise Forbidden(action, study_instance_uid)
        if study_instance_uid is None or actor.data_scope.is_everything:
            return
        facts = self._facts.get(study_instance_uid, _FACTS_GOOD_S)
        self._decide(actor, action, study_instance_uid, facts)

    async def require_study(self, actor: Actor, action: Action, study_instance_uid: str) -> None:
        """The same for a study that the path does not name.

        Raises:
            Forbidden: the policy says no.
        """
        if not actor.data_scope.is_everything:
            await self._look_up(study_instance_uid)
        self.require(actor, action, study_instance_uid=study_instance_uid)

    def _decide(
        self, actor: Actor, action: Action, study_instance_uid: str, facts: StudyFacts | None
    ) -> None:
        if facts is None:
            if action is Action.STORE:  # a study that is not there yet
                return
            raise Problem("study-not-found")
        if not may(actor, action, resource=facts):
            _REFUSED.inc()
            refusal = OutsideScope if may(actor, Action.BREAK_GLASS) else Hidden
            raise refusal(action, study_instance_uid)

    def changed(self) -> None:
        """Rights or accounts were changed by this process: look them up anew."""
        sessions.forget_all(self._database)
        tokens.forget_all(self._database)

    async def note_read(
        self, request: Request, action: Action, study_instance_uid: str | None = None
    ) -> None:
        """Note a read before its answer is given: one row per reader, study and minute.

        Raises:
            DatabaseUnavailable: it cannot be noted; nothing is given then.
        """
        minute = int(time.time() // 60)
        if minute != self._minute:
            self._minute = minute
            self._noted.clear()
        key = (request.actor.name, action, study_instance_uid, request.peer, request.path[:5])
        entered = self._noted.get(key)
        if entered is not None:  # a row is there: counting one more takes no database
            self._seen(request, action, study_instance_uid, entered)
            return
        entered = _entered_by(request, action)
        await run_blocking(self._seen, request, action, study_instance_uid, entered)
        if len(self._noted) < _REMEMBERED_COUNT:
            self._noted[key] = entered

    def _seen(
        self,
        request: Request,
        action: Action,
        study_instance_uid: str | None,
        entered: Mapping[str, Any],
    ) -> None:
        self._reads.seen(
            actor=request.actor,
            action=action,
            study_instance_uid=study_instance_uid,
            peer=request.peer,
            **entered,
        )

    async def note(
        self,
        request: Request,
        action: str,
        *,
        outcome: str = audit.Outcome.SUCCESS,
        actor: Actor | None = None,
        study_instance_uid: str | None = None,
        detail: Mapping[str, object] | None = None,
        **more: Any,
    ) -> None:
        """Note anything else; ``more`` is given to ``audit.record_in``.

        Raises:
            DatabaseUnavailable: it cannot be noted.
        """
        await run_blocking(
            audit.record,
            self._database,
            actor=actor or request.actor,
            action=action,
            outcome=outcome,
            study_instance_uid=study_instance_uid,
            peer=request.peer,
            detail=detail,
            **{**_entered_by(request, action), **more},
        )

    def close(self) -> None:
        """Write what is counted."""
        self._reads.close()


def _entered_by(request: Request, action: str) -> dict[str, Any]:
    """By which door and with what credential, for the trail.

    What a browser fetches with its session is looked at by a person.
    """
    first = request.path.split("/", 2)[1]
    door = {"dicom-web": "dicomweb", "wado": "dicomweb", "api": "api", "fhir": "fhir"}
    found: dict[str, Any] = {"door": door.get(first, "web")}
    if request.header(b"authorization") is not None:
        found["credential"] = "token"
    elif request.actor.kind in {"user", "link"}:
        found["credential"] = "session" if request.actor.kind == "user" else request.actor.name
        if action == Action.RETRIEVE:
            found["event_class"] = str(audit.EventClass.VIEW)
    return found


def unauthenticated() -> Problem:
    """401 with its challenge (RFC 6750 §3)."""
    _UNAUTHENTICATED.inc()
    return Problem("unauthenticated", challenge=CHALLENGE)


def cookie(header: str, name: str) -> str | None:
    """The value of a cookie; the first when there are several."""
    for piece in header.split(";"):
        key, _, value = piece.strip().partition("=")
        if key == name:
            return value
    return None


def same_origin(scope: Scope) -> bool:
    """Whether a state-changing request comes from one of our own pages.

    Browsers say so in Sec-Fetch-Site, or over plain HTTP in Origin; one of both must. Origin is
    compared with the address of ``public_url`` too, since a proxy may have changed Host.
    """
    fetch_site = origin = host = b""
    for name, value in scope["headers"]:
        if name == b"sec-fetch-site":
            fetch_site = value
        elif name == b"origin":
            origin = value
        elif name == b"host":
            host = value
    if fetch_site:
        return fetch_site == b"same-origin"
    ours = (host, scope.get("negatoscope.origin", "").partition("://")[2].encode("latin-1"))
    return bool(origin) and origin.split(b"://", 1)[-1] in ours
