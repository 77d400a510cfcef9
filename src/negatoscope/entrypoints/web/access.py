"""Who asks, whether they may, and the note of it: the same for every HTTP route.

A request is made by the owner of its bearer token (RFC 6750) or of its session cookie. A session
counts for reading anywhere, and for changes only from this site's own pages.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from negatoscope.domain.identity import Action, Actor, may, tokens, users
from negatoscope.domain.identity.errors import UnknownUser
from negatoscope.entrypoints.web.asgi import Request, Scope
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.sessions import COOKIE, Session, SessionSigner
from negatoscope.infra import metrics
from negatoscope.infra.db import Database
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers import audit

CHALLENGE: Final = 'Bearer realm="negatoscope"'
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_USER_S = 5.0
_REMEMBERED_COUNT = 4096
_REFUSED = metrics.REFUSALS.labels("http", "forbidden")
_UNAUTHENTICATED = metrics.REFUSALS.labels("http", "unauthenticated")


class Forbidden(Problem):
    """403, to be noted in the audit trail.

    Args:
        action: What was asked.
        study_instance_uid: Of what, if of a study.
    """

    def __init__(self, action: Action, study_instance_uid: str | None) -> None:
        super().__init__("forbidden")
        self.action = action
        self.study_instance_uid = study_instance_uid


class Caller(NamedTuple):
    """Who makes a request."""

    actor: Actor
    session: Session | None = None


class _Remembered:
    """Who is behind the name of a session, bounded and good for ``_USER_S``."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[float, Actor]] = OrderedDict()

    def get(self, name: str) -> Actor | None:
        entry = self._entries.get(name)
        return None if entry is None or entry[0] < time.monotonic() else entry[1]

    def put(self, name: str, actor: Actor) -> None:
        self._entries[name] = (time.monotonic() + _USER_S, actor)
        self._entries.move_to_end(name)
        while len(self._entries) > _REMEMBERED_COUNT:
            self._entries.popitem(last=False)


class Access:
    """Authentication, authorisation and audit of one process.

    Args:
        database: Accounts, tokens, audit trail.
        signer: Of session cookies.
    """

    def __init__(self, database: Database, signer: SessionSigner) -> None:
        self._database = database
        self.signer = signer
        self._by_user = _Remembered()
        self._reads = audit.ReadRecorder(database)
        self._noted: set[tuple[str, str, str | None, str]] = set()
        self._minute = 0

    async def caller(self, scope: Scope) -> Caller | None:
        """Who makes this request; None when it carries no credential that is good.

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
            return None if actor is None else Caller(actor)
        if cookies:
            return await self._by_cookie(scope, cookies.decode("latin-1"))
        return None

    async def _by_bearer(self, authorization: bytes) -> Actor | None:
        scheme, _, token = authorization.decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token.strip()
        actor = tokens.remembered(self._database, token)
        return actor or await run_blocking(tokens.resolve, self._database, token)

    async def _by_cookie(self, scope: Scope, cookies: str) -> Caller | None:
        value = cookie(cookies, COOKIE)
        session = None if value is None else self.signer.decode(value)
        if session is None or (scope["method"] not in SAFE_METHODS and not same_origin(scope)):
            return None
        actor = self._by_user.get(session.user_name)
        if actor is None:
            actor = await run_blocking(self._active_user, session.user_name)
            if actor is None:
                return None
            self._by_user.put(session.user_name, actor)
        return Caller(actor, session)

    def _active_user(self, name: str) -> Actor | None:
        try:
            user = users.get(self._database, name)
        except UnknownUser:
            return None
        return user.actor if user.is_active else None

    def require(
        self, actor: Actor, action: Action, *, study_instance_uid: str | None = None
    ) -> None:
        """Ask the policy.

        Raises:
            Forbidden: it says no.
        """
        if not may(actor, action, resource=study_instance_uid):
            _REFUSED.inc()
            raise Forbidden(action, study_instance_uid)

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
        key = (request.actor.name, action, study_instance_uid, request.peer)
        if key in self._noted:  # a row is there: counting one more takes no database
            self._seen(request, action, study_instance_uid)
            return
        await run_blocking(self._seen, request, action, study_instance_uid)
        if len(self._noted) < _REMEMBERED_COUNT:
            self._noted.add(key)

    def _seen(self, request: Request, action: Action, study_instance_uid: str | None) -> None:
        self._reads.seen(
            actor=request.actor,
            action=action,
            study_instance_uid=study_instance_uid,
            peer=request.peer,
            **_entered_by(request, action),
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
    elif request.actor.kind == "user":
        found["credential"] = "session"
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
