"""Pages that need neither JavaScript nor the build: a refusal, and a build that is missing."""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Final

from negatoscope.entrypoints.web.access import cookie
from negatoscope.entrypoints.web.asgi import Header, Request, Send
from negatoscope.entrypoints.web.language import COOKIE, Language, choose
from negatoscope.entrypoints.web.problems import Problem

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:38em;margin:12vh auto;padding:0 1em;"
    "color:#1b2730;background:#f4f6f8}h1{font-size:1.4em}code,pre{font-size:.9em}a{color:#0f6a73}"
    "@media(prefers-color-scheme:dark){body{color:#d5dde4;background:#10161c}a{color:#6dbfc5}}"
)
_STYLE_SUM: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"accept-language, cookie"),
    (
        b"content-security-policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_SUM}'; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'".encode("ascii"),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_EXPLAINED: Final[Mapping[int, tuple[str, str]]] = {
    401: ("Please sign in", "Veuillez vous connecter"),
    403: ("Your account may not do that", "Votre compte ne permet pas cela"),
    404: ("There is nothing here", "Il n’y a rien ici"),
    405: ("This address takes no such request", "Cette adresse n’accepte pas une telle demande"),
    429: ("Too many attempts; wait a little", "Trop d’essais ; attendez un peu"),
    500: (
        "The server failed; its log tells the administrator why",
        "Le serveur est en erreur ; son journal en dit la cause à l’administrateur",
    ),
    503: (
        "The server is not ready; try again in a moment",
        "Le serveur n’est pas prêt ; réessayez dans un instant",
    ),
}
_OTHERWISE: Final = ("This request was refused", "Cette demande a été refusée")
_HOME: Final = ("Go to the start page", "Aller à la page d’accueil")
_MISSING: Final = (
    "The web application is not built",
    "L’application web n’est pas construite",
)
_BUILD: Final = (
    (
        "The archive works; only its pages are missing. On the server, install Node.js 20.19 or "
        "later with npm, then call:"
    ),
    (
        "L’archive fonctionne ; seules ses pages manquent. Sur le serveur, installez Node.js 20.19 "
        "ou plus récent avec npm, puis appelez :"
    ),
)
_RELOAD: Final = (
    "Then reload this page; the server need not be restarted.",
    "Rechargez ensuite cette page ; il n’est pas nécessaire de redémarrer le serveur.",
)


async def send_problem_page(request: Request, send: Send, problem: Problem) -> None:
    """Tell somebody's browser of a refusal, in a language that it reads."""
    language = _language(request)
    title = _said(_EXPLAINED.get(problem.status, _OTHERWISE), language)
    body = (
        f"<h1>{title}</h1><p><code>{problem.status} {escape(problem.code)}</code></p>"
        f'<p><a href="/">{_said(_HOME, language)}</a></p>'
    )
    kept = [one for one in problem.headers() if one[0] not in (b"content-type", b"cache-control")]
    await _send(
        request, send, status=problem.status, language=language, title=title, body=body, more=kept
    )


async def send_missing_page(request: Request, send: Send) -> None:
    """Say what to do where the application is not built."""
    language = _language(request)
    title = _said(_MISSING, language)
    body = (
        f"<h1>{title}</h1><p>{_said(_BUILD, language)}</p><pre>make web</pre>"
        f"<p>{_said(_RELOAD, language)}</p>"
    )
    await _send(request, send, status=503, language=language, title=title, body=body, more=[])


def _language(request: Request) -> Language:
    chosen = cookie(request.header(b"cookie") or "", COOKIE)
    return choose(chosen, request.header(b"accept-language"))


def _said(texts: tuple[str, str], language: Language) -> str:
    text = texts[0 if language is Language.ENGLISH else 1]
    return text.replace(" ;", "\u202f;").replace(" :", "\u00a0:")


async def _send(
    request: Request,
    send: Send,
    *,
    status: int,
    language: Language,
    title: str,
    body: str,
    more: list[Header],
) -> None:
    document = (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · Negatoscope</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    ).encode()
    headers = [*_HEADERS, (b"content-language", language.encode("ascii")), *more]
    headers.append((b"content-length", str(len(document)).encode("ascii")))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send(
        {"type": "http.response.body", "body": b"" if request.method == "HEAD" else document}
    )
