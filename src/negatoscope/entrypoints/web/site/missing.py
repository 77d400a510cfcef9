"""The page that stands where the application is not built."""

from typing import Final

_TEXTS: Final = {
    "en": (
        "The web application is not built",
        (
            "The archive works; only its pages are missing. On the server, install Node.js 20.19 or "
            "later with npm, then call:"
        ),
        "Then reload this page; the server need not be restarted.",
    ),
    "fr": (
        "L’application web n’est pas construite",
        (
            "L’archive fonctionne ; seules ses pages manquent. Sur le serveur, installez Node.js 20.19 "
            "ou plus récent avec npm, puis appelez :"
        ),
        "Rechargez ensuite cette page ; il n’est pas nécessaire de redémarrer le serveur.",
    ),
}


def document(accept_language: str | None) -> bytes:
    """The whole page, in the language that the browser prefers.

    Args:
        accept_language: The request's header.
    """
    preferred = (accept_language or "").lower()
    french, english = preferred.find("fr"), preferred.find("en")
    language = "fr" if french >= 0 and (english < 0 or french < english) else "en"
    title, what_to_do, after = _TEXTS[language]
    return (
        f'<!doctype html>\n<html lang="{language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · Negatoscope</title>"
        '<body style="font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 4em auto; '
        'padding: 0 1em">'
        f"<h1>{title}</h1><p>{what_to_do}</p><pre>make web</pre><p>{after}</p></body></html>\n"
    ).encode()
