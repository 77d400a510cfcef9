"""The page's routes: sign-in, set-up, studies, connect, application entities, tasks."""

import asyncio
import mimetypes
import re
from collections.abc import Awaitable, Callable
from datetime import date
from importlib import resources
from typing import Final
from urllib.parse import parse_qs, quote

from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.overview import Overview, StudyFilter
from negatoscope.domain.archive.retrieve import Selection
from negatoscope.domain.archive.versions import NoSuchDecision, Task
from negatoscope.domain.devices import ae
from negatoscope.domain.identity import Action, Actor, may, sessions, setup, sign_in, users
from negatoscope.domain.identity.errors import (
    IdentityError,
    SetupLinkRefused,
    TooManyAttempts,
    UnknownUser,
    UserExists,
    WeakPassword,
)
from negatoscope.entrypoints.web.access import Caller, cookie, same_origin, unauthenticated
from negatoscope.entrypoints.web.asgi import Header, Request, Send, accepts_html, send_answer
from negatoscope.entrypoints.web.echo import echo
from negatoscope.entrypoints.web.ohif.installation import Installed
from negatoscope.entrypoints.web.page import views
from negatoscope.entrypoints.web.page.commands import Addresses
from negatoscope.entrypoints.web.page.download import zip_of
from negatoscope.entrypoints.web.page.html import Html
from negatoscope.entrypoints.web.page.language import COOKIE as LANGUAGE_COOKIE
from negatoscope.entrypoints.web.page.language import Language, Speaker, choose
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.services import Services
from negatoscope.entrypoints.web.streaming import send_stream
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers.audit import Outcome

PAGE_SIZE: Final = 25
MAX_PAGE: Final = 400
FORM_BYTES: Final = 16_384
_UID: Final = re.compile(r"[0-9.]{1,64}")
_MODALITY: Final = re.compile(r"[A-Z0-9_ ]{1,16}")
_CSP: Final = (
    b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    b"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", _CSP),
)
_EXPLAINED: Final = {
    403: "error.forbidden",
    404: "error.not-found",
    500: "error.internal",
    503: "error.database",
}
_STATIC: Final = ("style.css", "script.js")

Handler = Callable[["Visit"], Awaitable[None]]


class Visit:
    """One request of the page."""

    def __init__(self, request: Request, send: Send, caller: Caller | None) -> None:
        self.request = request
        self.send = send
        self.caller = caller
        cookies = request.header(b"cookie") or ""
        self.say = Speaker(
            choose(cookie(cookies, LANGUAGE_COOKIE), request.header(b"accept-language"))
        )
        query: bytes = request.scope["query_string"]
        self.path = request.path + (f"?{query.decode('latin-1')}" if query else "")
        self.headers: list[Header] = []

    @property
    def actor(self) -> Actor:
        """Who is signed in."""
        return self.request.actor

    def parameters(self) -> dict[str, str]:
        """The query, the last value of each name."""
        return dict(self.request.query())

    async def form(self) -> dict[str, str]:
        """The fields of a posted form.

        Raises:
            Problem: no form, or a long one.
        """
        content_type = (self.request.header(b"content-type") or "").partition(";")[0].strip()
        if content_type != "application/x-www-form-urlencoded":
            raise Problem("unsupported-media-type")
        body = await self.request.body(FORM_BYTES)
        try:
            fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=50)
        except ValueError as error:
            raise Problem("bad-request", detail="The form cannot be read.") from error
        return {name: values[-1] for name, values in fields.items()}

    async def answer(self, page: Html, status: int = 200) -> None:
        """Send a document."""
        headers = [
            *_HEADERS,
            *self.headers,
            (b"content-language", self.say.language.encode()),
            (b"vary", b"accept-language, cookie"),
        ]
        await send_page(
            self.send, status, headers, page.encode(), head_only=self.request.method == "HEAD"
        )

    async def go(self, path: str) -> None:
        """Send the browser elsewhere on this site."""
        headers = [(b"location", path.encode("ascii")), (b"cache-control", b"no-store")]
        await send_answer(self.send, 303, [*headers, *self.headers])


async def send_page(
    send: Send, status: int, headers: list[Header], body: bytes, *, head_only: bool
) -> None:
    """Like ``send_answer``, with the page's own content security policy."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                *headers,
                (b"x-content-type-options", b"nosniff"),
                (b"x-frame-options", b"DENY"),
                (b"referrer-policy", b"same-origin"),
                (b"cross-origin-opener-policy", b"same-origin"),
                (b"cross-origin-resource-policy", b"same-origin"),
                (b"content-length", str(len(body)).encode("ascii")),
            ],
        }
    )
    await send({"type": "http.response.body", "body": b"" if head_only else body})


class Page:
    """What browsers see.

    Args:
        services: The public faces.
        ohif: Whether there is a viewer to lead to.
    """

    def __init__(self, services: Services, ohif: Installed) -> None:
        self._services = services
        self._ohif = ohif
        self._database = services.database
        self._access = services.access
        self._overview = Overview(services.database)
        self._hashing = asyncio.Semaphore(2)  # a password costs a core for a tenth of a second
        self._static = {
            name: (
                resources.files(__package__).joinpath(name).read_bytes(),
                (mimetypes.guess_type(name)[0] or "").encode("ascii"),
            )
            for name in _STATIC
        } | {"icon.svg": (views.icon().encode(), b"image/svg+xml")}
        self._open: dict[tuple[str, str], Handler] = {
            ("GET", "/sign-in"): self._sign_in_form,
            ("POST", "/sign-in"): self._sign_in,
            ("POST", "/sign-out"): self._sign_out,
            ("POST", "/setup"): self._set_up,
            ("GET", "/language"): self._language,
        }
        self._closed: dict[tuple[str, str], Handler] = {
            ("GET", "/"): self._studies,
            ("GET", "/connect"): self._connect,
            ("GET", "/entities"): self._entities,
            ("POST", "/entities/test"): self._test_entity,
            ("GET", "/tasks"): self._tasks,
            ("POST", "/tasks/accept"): self._decide,
            ("POST", "/tasks/dismiss"): self._decide,
            ("POST", "/tasks/done"): self._decide,
        }

    async def __call__(self, request: Request, send: Send) -> None:
        """Answer a browser.

        Raises:
            Problem: refused; ``explain`` tells a browser of it.
        """
        if request.path.startswith("/static/"):
            await self._send_static(request, send)
            return
        caller = await self._access.caller(request.scope)
        if caller is not None:
            request.actor = caller.actor
        await self._route(Visit(request, send, caller))

    async def explain(self, request: Request, send: Send, problem: Problem) -> None:
        """Tell a browser of a problem in its language."""
        caller = None if request.actor.kind == "anonymous" else Caller(request.actor)
        visit = Visit(request, send, caller)
        say = visit.say
        key = _EXPLAINED.get(problem.status)
        frame = views.Frame(
            say=say,
            path=visit.path if request.method == "GET" else "/",
            ae_title=self._services.settings.ae_title,
            user_name=request.actor.name,
        )
        text = say(key) if key is not None else problem.type.title
        await visit.answer(views.error(frame, text), problem.status)

    async def _route(self, visit: Visit) -> None:
        request = visit.request
        method = "GET" if request.method == "HEAD" else request.method
        key = (method, request.path)
        handler = self._open.get(key)
        if method == "GET" and request.path.startswith("/setup/"):
            handler = self._set_up_form
        if handler is not None:
            await handler(visit)
            return
        handler = self._closed.get(key) or self._study_route(visit, method)
        if handler is None:
            known = {m for m, path in (*self._open, *self._closed) if path == request.path}
            if known:
                raise Problem("method-not-allowed", allow=", ".join(sorted(known)))
            if visit.caller is None and method == "GET":
                raise unauthenticated()
            raise Problem("not-found")
        if visit.caller is None:
            if method == "GET" and accepts_html(request):
                await visit.go(f"/sign-in?next={quote(visit.path, safe='')}")
                return
            raise unauthenticated()
        await handler(visit)

    def _study_route(self, visit: Visit, method: str) -> Handler | None:
        parts = visit.request.path.split("/")[1:]
        if method != "GET" or parts[0] != "studies":
            return None
        match parts[1:]:
            case [study] if _UID.fullmatch(study):
                return self._study
            case [study, "archive.zip"] if _UID.fullmatch(study):
                return self._download
            case [study, "series", series, "archive.zip"] if _UID.fullmatch(
                study
            ) and _UID.fullmatch(series):
                return self._download
            case _:
                return None

    async def _frame(self, visit: Visit) -> views.Frame:
        is_administrator = bool(may(visit.actor, Action.ADMINISTER))
        count = await run_blocking(self._task_count) if is_administrator else 0
        return views.Frame(
            say=visit.say,
            path=visit.path,
            ae_title=self._services.settings.ae_title,
            user_name=visit.actor.name,
            csrf=_csrf(visit),
            is_administrator=is_administrator,
            task_count=count,
            has_viewer=self._ohif.current() is not None and bool(may(visit.actor, Action.RETRIEVE)),
        )

    def _task_count(self) -> int:
        versions = self._services.versions
        return len(versions.pending()) + len(_other_tasks(versions.tasks()))

    async def _send_static(self, request: Request, send: Send) -> None:
        found = self._static.get(request.path.removeprefix("/static/"))
        if found is None or request.method not in ("GET", "HEAD"):
            raise Problem("not-found")
        body, content_type = found
        headers = [(b"content-type", content_type), (b"cache-control", b"max-age=3600")]
        await send_answer(send, 200, headers, body, head_only=request.method == "HEAD")

    # -- the door -----------------------------------------------------------------------------

    def _door(self, visit: Visit) -> views.Frame:
        return views.Frame(
            say=visit.say, path=visit.path, ae_title=self._services.settings.ae_title
        )

    async def _language(self, visit: Visit) -> None:
        parameters = visit.parameters()
        wanted = parameters.get("to", "")
        if wanted in (Language.ENGLISH, Language.FRENCH):
            text = f"{LANGUAGE_COOKIE}={wanted}; Path=/; SameSite=Lax; Max-Age=31536000"
            visit.headers.append((b"set-cookie", text.encode("ascii")))
        await visit.go(local_path(parameters.get("next", "/")))

    async def _sign_in_form(self, visit: Visit) -> None:
        following = local_path(visit.parameters().get("next", "/"))
        if visit.caller is not None:
            await visit.go(following)
            return
        await visit.answer(views.sign_in(self._door(visit), following=following))

    async def _sign_in(self, visit: Visit) -> None:
        if not same_origin(visit.request.scope):
            raise Problem("cross-site")
        form = await visit.form()
        name, password = form.get("name", "")[:100].strip(), form.get("password", "")[:1000]
        following = local_path(form.get("next", "/"))
        say = visit.say
        actor = None
        try:
            async with self._hashing:
                user, value = await run_blocking(
                    sign_in.local,
                    self._database,
                    self._access.limits,
                    self._access.key,
                    name=name,
                    password=password,
                    code=form.get("code"),
                    client=self._client(visit),
                )
            actor = user.actor
        except TooManyAttempts as refusal:
            page = views.sign_in(
                self._door(visit),
                following=following,
                name=name,
                error=say("sign-in.wait", seconds=int(refusal.wait_s) + 1),
            )
            visit.headers.append((b"retry-after", str(int(refusal.wait_s) + 1).encode("ascii")))
            await visit.answer(page, 429)
            return
        except IdentityError:
            pass
        if actor is None:
            await self._access.note(
                visit.request,
                "sign in",
                outcome=Outcome.REFUSED,
                actor=Actor.anonymous(name),
            )
            page = views.sign_in(
                self._door(visit), following=following, name=name, error=say("sign-in.failed")
            )
            await visit.answer(page, 401)
            return
        await self._access.note(visit.request, "sign in", actor=actor)
        self._keep(visit, value)
        await visit.go(following)

    def _keep(self, visit: Visit, value: str) -> None:
        kept = self._access.cookie.keep(value, self._access.limits.absolute_s)
        visit.headers.append((b"set-cookie", kept))

    def _client(self, visit: Visit) -> sign_in.Client:
        return sign_in.Client(
            peer=visit.request.peer, agent=visit.request.header(b"user-agent") or ""
        )

    async def _sign_out(self, visit: Visit) -> None:
        if not same_origin(visit.request.scope):
            raise Problem("cross-site")
        if visit.caller is not None:
            await self._access.note(visit.request, "sign out")
            if visit.caller.cookie is not None:
                await run_blocking(sessions.end, self._database, visit.caller.cookie)
        visit.headers.append((b"set-cookie", self._access.cookie.drop()))
        visit.headers.append((b"clear-site-data", b'"cache"'))
        await visit.go("/sign-in")

    async def _set_up_form(self, visit: Visit) -> None:
        secret = visit.request.path.removeprefix("/setup/")[:200]
        if not await run_blocking(setup.is_valid, self._database, secret):
            await visit.answer(views.set_up_used(self._door(visit)), 410)
            return
        await visit.answer(views.set_up(self._door(visit), secret=secret))

    async def _set_up(self, visit: Visit) -> None:
        if not same_origin(visit.request.scope):
            raise Problem("cross-site")
        form = await visit.form()
        secret, name = form.get("secret", "")[:200], form.get("name", "").strip()
        password = form.get("password", "")
        say, door = visit.say, self._door(visit)
        wrong = ""
        if re.fullmatch(r"[\w.\-]{1,64}", name) is None:
            wrong = say("set-up.name")
        elif password != form.get("repeat"):
            wrong = say("set-up.differ")
        if not wrong:
            try:
                user = await run_blocking(
                    setup.redeem, self._database, secret=secret, name=name, password=password
                )
            except WeakPassword:
                wrong = say("set-up.short", length=users.MIN_PASSWORD_LENGTH)
            except (UserExists, UnknownUser):
                wrong = say("set-up.name")
            except SetupLinkRefused:
                await visit.answer(views.set_up_used(door), 410)
                return
        if wrong:
            await visit.answer(views.set_up(door, secret=secret, name=name, error=wrong), 422)
            return
        await self._access.note(visit.request, "set up", actor=user.actor)
        value = await run_blocking(
            sessions.create,
            self._database,
            self._access.limits,
            user_id=user.id,
            method="set-up link",
            peer=visit.request.peer,
        )
        self._keep(visit, value)
        await visit.go("/")

    # -- studies ------------------------------------------------------------------------------

    async def _studies(self, visit: Visit) -> None:
        self._access.require(visit.actor, Action.QUERY)
        wanted, number, notes = _wanted(visit)
        frame = await self._frame(visit)
        rows = await run_blocking(
            self._overview.studies,
            wanted,
            limit=PAGE_SIZE + 1,
            offset=(number - 1) * PAGE_SIZE,
        )
        totals = await run_blocking(self._overview.totals)
        await self._access.note_read(visit.request, Action.QUERY)
        page = views.StudiesPage(
            wanted=wanted,
            rows=rows[:PAGE_SIZE],
            number=number,
            size=PAGE_SIZE,
            has_next=len(rows) > PAGE_SIZE and number < MAX_PAGE,
            notes=notes,
        )
        first = self._addresses(visit).send()[-1]
        await visit.answer(views.studies(frame, page, totals, first))

    async def _study(self, visit: Visit) -> None:
        study = visit.request.path.split("/")[2]
        self._access.require(visit.actor, Action.QUERY, study_instance_uid=study)
        detail = await run_blocking(self._overview.study, study)
        if detail is None:
            raise Problem("study-not-found")
        await self._access.note_read(visit.request, Action.QUERY, study)
        frame = await self._frame(visit)
        commands = self._addresses(visit).fetch(study)
        await visit.answer(views.study(frame, detail, commands))

    async def _download(self, visit: Visit) -> None:
        parts = visit.request.path.split("/")[2:]
        study, series = parts[0], parts[2] if len(parts) > 2 else None
        self._access.require(visit.actor, Action.RETRIEVE, study_instance_uid=study)
        selection = Selection(study=(study,), series=(series,) if series else ())
        retrieval = self._services.retrieval
        if not await run_blocking(retrieval.series, selection):
            raise Problem("study-not-found" if series is None else "series-not-found")
        await self._access.note_read(visit.request, Action.RETRIEVE, study)
        name = f"{series or study}.zip".encode("ascii")
        headers = [
            (b"content-type", b"application/zip"),
            (b"cache-control", b"no-store"),
            (b"content-disposition", b'attachment; filename="' + name + b'"'),
        ]
        if visit.request.method == "HEAD":
            await send_answer(visit.send, 200, headers, head_only=True)
            return
        try:
            chunks = zip_of(retrieval, selection)
            await send_stream(visit.send, visit.request.receive, 200, headers, chunks)
        except RetrieveError as error:
            raise Problem("object-unreadable") from error

    # -- connect, entities, tasks -------------------------------------------------------------

    def _addresses(self, visit: Visit) -> Addresses:
        origin: str = visit.request.scope["negatoscope.origin"]
        return Addresses.of(self._services.settings, origin)

    async def _connect(self, visit: Visit) -> None:
        frame = await self._frame(visit)
        addresses = self._addresses(visit)
        groups = (
            ("first", addresses.register()),
            ("send", addresses.send()),
            ("find", addresses.find()),
            ("fetch", addresses.fetch()),
        )
        await visit.answer(views.connect(frame, addresses, groups))

    async def _entities(self, visit: Visit, note: str = "", note_kind: str = "") -> None:
        frame = await self._frame(visit)
        known = await run_blocking(ae.list_entities, self._database)
        first = self._addresses(visit).register()[0]
        await visit.answer(
            views.entities(frame, known, first_command=first, note=note, note_kind=note_kind)
        )

    async def _test_entity(self, visit: Visit) -> None:
        self._access.require(visit.actor, Action.ADMINISTER)
        form = await self._checked_form(visit)
        entity = await run_blocking(ae.find, self._database, form.get("ae_title", ""))
        if entity is None:
            raise Problem("not-found")
        result = await run_blocking(echo, self._services.settings, entity)
        if result.answers:
            note = visit.say(
                "entities.answers", ae_title=entity.ae_title, milliseconds=result.milliseconds
            )
        else:
            note = visit.say("entities.silent", ae_title=entity.ae_title, reason=result.reason)
        await self._entities(visit, note, "good" if result.answers else "bad")

    async def _tasks(self, visit: Visit, note: str = "", note_kind: str = "") -> None:
        self._access.require(visit.actor, Action.ADMINISTER)
        frame = await self._frame(visit)
        aside = await run_blocking(self._services.versions.pending)
        others = _other_tasks(await run_blocking(self._services.versions.tasks))
        await visit.answer(views.tasks(frame, aside, others, note=note, note_kind=note_kind))

    async def _decide(self, visit: Visit) -> None:
        self._access.require(visit.actor, Action.ADMINISTER)
        form = await self._checked_form(visit)
        text = form.get("id", "")
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise Problem("bad-request")
        number, decision = int(text), visit.request.path.rsplit("/", 1)[1]
        versions, by = self._services.versions, visit.actor.name
        note, kind = visit.say("tasks.gone"), "warn"
        if decision == "done":
            if await run_blocking(versions.close_task, number, by=by):
                note, kind = visit.say("tasks.closed"), "good"
        else:
            decide = versions.accept if decision == "accept" else versions.dismiss
            try:
                await run_blocking(decide, number, by=by)
                note, kind = visit.say(f"tasks.{decision}ed"), "good"
            except NoSuchDecision:
                pass
        if kind == "good":
            detail = {"task" if decision == "done" else "set_aside": number}
            await self._access.note(visit.request, f"task {decision}", detail=detail)
        await self._tasks(visit, note, kind)

    async def _checked_form(self, visit: Visit) -> dict[str, str]:
        form = await visit.form()
        session = visit.caller.session if visit.caller is not None else None
        if session is not None and form.get("csrf") != session.csrf:
            raise Problem("cross-site")
        return form


def local_path(text: str) -> str:
    """A path of this site to go on to; the start page for anything else."""
    if re.fullmatch(r"/(?![/\\])[!-~]{0,2000}", text) is None or "\\" in text:
        return "/"
    return text


def _csrf(visit: Visit) -> str:
    session = visit.caller.session if visit.caller is not None else None
    return session.csrf if session is not None else ""


def _wanted(visit: Visit) -> tuple[StudyFilter, int, list[str]]:
    parameters = visit.parameters()
    notes: list[str] = []
    dates: list[date | None] = []
    for name in ("from", "to"):
        text = parameters.get(name, "").strip()
        try:
            dates.append(date.fromisoformat(text) if text else None)
        except ValueError:
            dates.append(None)
            notes = [visit.say("studies.bad-date")]
    modality = parameters.get("modality", "").strip().upper()
    number = parameters.get("page", "1")
    wanted = StudyFilter(
        text=parameters.get("text", "").strip(),
        first=dates[0],
        last=dates[1],
        modality=modality if _MODALITY.fullmatch(modality) else None,
    )
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    return wanted, min(max(page, 1), MAX_PAGE), notes


def _other_tasks(tasks: list[Task]) -> list[Task]:
    """Tasks that are not shown as objects set aside."""
    return [task for task in tasks if task.kind != "object-set-aside"]
