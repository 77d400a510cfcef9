"""Which paths belong to the web application.

The application itself knows its routes (``web/apps/department/src/app/routes.ts``); the server
knows their first segments, gives the one document for them, and refuses every other path.
"""

from typing import Final

AREAS: Final = frozenset(
    {
        "account",
        "admin",
        "board",
        "calendar",
        "connect",
        "design",
        "examinations",
        "instances",
        "link",
        "orders",
        "patients",
        "performed-steps",
        "reconciliation",
        "setup",
        "vetting",
        "view",
        "viewer",
    }
)
"""First segments; with anything below them."""
PAGES: Final = frozenset({"/", "/IHEInvokeImageDisplay", "/sign-in", "/studies", "/upload"})
"""Whole paths."""


def is_application_route(path: str) -> bool:
    """Whether the document of the application answers there.

    Args:
        path: Decoded, as the server gives it.
    """
    if path in PAGES:
        return True
    area, *below = path.removeprefix("/").split("/")
    return path[:1] == "/" and area in AREAS and not {".", ".."} & set(below) and "\\" not in path
