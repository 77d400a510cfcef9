"""Signing in at an OpenID Connect provider: there, back, and out."""

import threading
from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import RedirectResponse

from negatoscope.domain.identity import Actor, federation, sessions
from negatoscope.domain.identity.errors import NoRoleForYou
from negatoscope.entrypoints.api.common import Anyone, Asking
from negatoscope.entrypoints.web.access import cookie
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.oidc import OidcError, Provider, ProviderRefused, ProviderUnavailable
from negatoscope.infra.settings import ProviderSettings, Settings
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers.audit import Outcome

router = APIRouter(prefix="/session/oidc", tags=["session"])
Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
STATE_COOKIE: Final = "negatoscope_oidc"
"""Binds a sign-in at a provider to the browser that began it."""
PATH: Final = "/api/v1/session/oidc"
_MAX_BODY: Final = 200_000
_KNOWN: dict[ProviderSettings, Provider] = {}
_LOCK = threading.Lock()


def provider_of(settings: Settings, name: str) -> Provider:
    """A provider by its name.

    Raises:
        Problem: there is none.
    """
    for one in settings.identity.providers:
        if one.name == name:
            with _LOCK:
                if one not in _KNOWN:
                    _KNOWN[one] = Provider(one)
                return _KNOWN[one]
    raise Problem("not-found")


def local_path(text: str) -> str:
    """A path of this site; anything else becomes the start page (no open redirect)."""
    plain = text.isascii() and text.isprintable() and "\\" not in text and len(text) <= 1000
    return text if plain and text.startswith("/") and not text.startswith("//") else "/"


@router.get("/{name}", response_class=RedirectResponse)
async def start(
    ask: Anyone, name: Name, next_path: Annotated[str, Query(alias="next", max_length=2000)] = "/"
) -> Response:
    """Go to the provider; it sends the browser back to ``…/callback``."""
    provider = provider_of(ask.services.settings, name)
    try:
        started = await run_blocking(provider.start, _redirect_uri(ask, name))
    except ProviderUnavailable:
        return _away(ask, "/sign-in?error=provider-unavailable")
    flow = federation.Flow(
        provider=name,
        nonce=started.nonce,
        code_verifier=started.code_verifier,
        next_path=local_path(next_path),
    )
    await run_blocking(federation.begin, ask.services.database, started.state, flow)
    return _away(ask, started.url, state=started.state)


@router.get("/{name}/callback", response_class=RedirectResponse)
async def finish(  # noqa: PLR0917 - what a provider may send
    ask: Anyone,
    name: Name,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    iss: Annotated[str | None, Query(max_length=1000)] = None,
    error: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Back from the provider: a session begins, or the sign-in page says why not."""
    provider = provider_of(ask.services.settings, name)
    services, access = ask.services, ask.services.access
    kept = cookie(ask.request.header(b"cookie") or "", STATE_COOKIE)
    if not state or kept != state:
        return await _refused(ask, name, "the browser did not begin this sign-in")
    flow = await run_blocking(federation.take, services.database, state, provider=name)
    if flow is None:
        return await _refused(ask, name, "the sign-in is over, or was used")
    if error is not None or not code:
        return await _refused(ask, name, "the provider refused")
    try:
        told = await run_blocking(
            provider.finish,
            code=code,
            issuer=iss,
            nonce=flow.nonce,
            code_verifier=flow.code_verifier,
            redirect_uri=_redirect_uri(ask, name),
        )
        user = await run_blocking(
            federation.account_of,
            services.database,
            provider.settings,
            issuer=told.issuer,
            subject=told.subject,
            claims=told.claims,
        )
    except ProviderUnavailable:
        return _away(ask, "/sign-in?error=provider-unavailable")
    except (ProviderRefused, NoRoleForYou) as refusal:
        return await _refused(ask, name, str(refusal))
    access.changed()
    value = await run_blocking(
        sessions.create,
        services.database,
        access.limits,
        user_id=user.id,
        method=f"provider {name}",
        peer=ask.request.peer,
        agent=ask.request.header(b"user-agent") or "",
        issuer=told.issuer,
        provider_sid=told.session_id,
        id_token=told.id_token,
        replaces=None if ask.caller is None else ask.caller.cookie,
    )
    await access.note(
        ask.request, "sign in", actor=user.actor, detail={"method": f"provider {name}"}
    )
    response = _away(ask, flow.next_path)
    response.headers.append(
        "set-cookie", access.cookie.keep(value, access.limits.absolute_s).decode()
    )
    return response


@router.post("/{name}/backchannel-logout")
async def end_from_provider(ask: Anyone, name: Name) -> Response:
    """The provider says that somebody signed out there (Back-Channel Logout 1.0)."""
    provider = provider_of(ask.services.settings, name)
    body = await ask.request.body(_MAX_BODY)
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=10)
        token = fields["logout_token"][0]
    except (ValueError, KeyError) as error:
        raise Problem("bad-request") from error
    try:
        subject, session_id = await run_blocking(provider.logout, token)
    except OidcError as error:
        raise Problem("bad-request", detail="The logout token cannot be accepted.") from error
    count = await run_blocking(
        sessions.end_of_provider,
        ask.services.database,
        issuer=provider.settings.issuer,
        subject=subject,
        provider_sid=session_id,
    )
    await ask.services.access.note(
        ask.request, "sign out", actor=Actor.system(f"provider {name}"), detail={"sessions": count}
    )
    return Response(status_code=200)


async def end_url(ask: Asking, method: str, id_token: str | None) -> str | None:
    """Where to sign out at the provider of a session too."""
    name = method.removeprefix("provider ")
    if name == method:
        return None
    try:
        provider = provider_of(ask.services.settings, name)
    except Problem:
        return None
    back = f"{ask.request.scope['negatoscope.origin']}/sign-in"
    return await run_blocking(provider.end_session_url, id_token, back)


async def _refused(ask: Asking, name: str, reason: str) -> Response:
    await ask.services.access.note(
        ask.request,
        "sign in",
        outcome=Outcome.REFUSED,
        actor=Actor.anonymous(f"somebody of provider {name}"),
        detail={"method": f"provider {name}", "reason": reason},
    )
    return _away(ask, "/sign-in?error=provider-refused")


def _redirect_uri(ask: Asking, name: str) -> str:
    return f"{ask.request.scope['negatoscope.origin']}{PATH}/{name}/callback"


def _away(ask: Asking, url: str, *, state: str = "") -> Response:
    response = Response(
        status_code=303, headers={"location": url, "referrer-policy": "no-referrer"}
    )
    age = federation.FLOW_S if state else 0
    secure = "; Secure" if ask.services.access.cookie.secure else ""
    response.headers.append(
        "set-cookie",
        f"{STATE_COOKIE}={state}; Path={PATH}; HttpOnly; SameSite=Lax{secure}; Max-Age={age}",
    )
    return response
