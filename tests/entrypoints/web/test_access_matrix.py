"""Every route there is, asked for by everybody there is: the answers are those of docs/access-matrix.md.

The page is the expectation, committed. A new route is in no row of it: the test fails until somebody has
looked at who may use it. ``ACCESS_MATRIX=write`` writes the page anew from what the server does; read
the difference before committing it.
"""

import asyncio
import contextlib
import inspect
import os
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from negatoscope.app import dicom
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.devices.ae import ApplicationEntity
from negatoscope.domain.identity import Action, AERole, Role, links, sessions, users
from negatoscope.domain.identity.grants import Grant, GrantKind, Holder, replace_all
from negatoscope.domain.identity.policies import (
    AE_ACTIONS,
    FOR_EVERYBODY,
    LINK_ACTIONS,
    USER_ACTIONS,
)
from negatoscope.entrypoints.dicomweb.app import DicomWeb
from negatoscope.entrypoints.dimse.policy import RegisteredCallers, ServiceTable
from negatoscope.entrypoints.web.sessions import COOKIE
from negatoscope.entrypoints.web.site.routes import AREAS
from negatoscope.protocols.dicom.dimse.acceptor import Accept, Peer
from negatoscope.protocols.dicom.ul.items import ContextResult, ProposedPresentationContext
from negatoscope.protocols.dicom.ul.pdu import AssociateRequest

PAGE = Path(__file__).parents[3] / "docs" / "access-matrix.md"
STUDY = "1.2.826.0.1.3680043.10.1.1"
ROOT = f"/dicom-web/studies/{STUDY}"
SERIES = f"{ROOT}/series/{STUDY}.1"
INSTANCE = f"{SERIES}/instances/{STUDY}.1.1"
SUBJECTS = ("nobody", *(str(role) for role in Role), "link")
DICOMWEB = [
    ("GET", f"{at}/{what}".rstrip("/"))
    for at, kinds in {
        ROOT: ("", "metadata", "rendered", "thumbnail", "bulkdata", "pixeldata", "series", "instances"),
        SERIES: ("", "metadata", "rendered", "thumbnail", "bulkdata", "pixeldata", "instances"),
        INSTANCE: ("", "metadata", "rendered", "thumbnail", "bulkdata", "pixeldata", "bulkdata/7FE00010"),
        f"{INSTANCE}/frames/1": ("", "rendered", "thumbnail"),
    }.items()
    for what in kinds
] + [
    *(("GET", f"/dicom-web/{what}") for what in ("studies", "series", "instances", "workitems")),
    ("GET", f"/dicom-web/archive?study={STUDY}"),
    *(("POST", path) for path in ("/dicom-web/studies", ROOT, "/dicom-web/workitems")),
    ("GET", "/dicom-web/workitems/1.2.3"),
    ("POST", "/dicom-web/workitems/1.2.3"),
    ("PUT", "/dicom-web/workitems/1.2.3/state"),
    ("POST", "/dicom-web/workitems/1.2.3/cancelrequest"),
    ("POST", "/dicom-web/workitems/1.2.3/subscribers/VIEWER"),
    ("DELETE", "/dicom-web/workitems/1.2.3/subscribers/VIEWER"),
    ("POST", "/dicom-web/workitems/1.2.3/subscribers/VIEWER/suspend"),
    ("GET", f"/wado?requestType=WADO&studyUID={STUDY}&seriesUID={STUDY}.1&objectUID={STUDY}.1.1"),
]  # fmt: skip
OTHERS = [("GET", path) for path in ("/healthz", "/readyz", "/metrics", "/ohif/", "/studies")] + [
    ("GET", f"/{area}") for area in sorted(AREAS)
]
SUBSTITUTES = {"study_instance_uid": STUDY, "ae_title": "NOBODY", "name": "nobody", "secret": "x"}


def api_routes(served):
    """Method, template and path of every route of ``/api/v1``."""
    paths = served.application._api.openapi()["paths"]
    assert len(paths) > 40
    for template, methods in sorted(paths.items()):
        path = re.sub(r"\{(\w+)\}", lambda match: SUBSTITUTES.get(match[1], "987654321"), template)
        for method in sorted(methods):
            yield method.upper(), template, path


def ask(application, method, path, cookie):
    """The status of an answer, without waiting for its end (some are streams)."""
    path, _, query = path.partition("?")
    headers = [(b"host", b"archive.test"), (b"sec-fetch-site", b"same-origin")]
    headers += [(b"origin", b"http://archive.test"), (b"content-type", b"application/json")]
    if cookie:
        headers.append((b"cookie", f"{COOKIE}={cookie}".encode()))
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "root_path": "",
        "raw_path": path.encode(), "query_string": query.encode(), "scheme": "http",
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("archive.test", 80),
    }  # fmt: skip

    async def go():
        begun = asyncio.get_running_loop().create_future()
        body = [{"type": "http.request", "body": b"{}" if method != "GET" else b""}]

        async def receive():
            if body:
                return body.pop()
            return await asyncio.sleep(3600, {"type": "http.disconnect"})

        async def send(message):
            if message["type"] == "http.response.start" and not begun.done():
                begun.set_result(message["status"])

        task = asyncio.ensure_future(application(scope, receive, send))
        await asyncio.wait({task, begun}, return_when=asyncio.FIRST_COMPLETED, timeout=60)
        status = begun.result() if begun.done() else 500
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
        return status

    return go


@pytest.fixture
def subjects(served):
    """Makes a session of each kind anew; partner and patient were granted the study."""
    database, limits = served.services.database, served.services.access.limits
    ids = {}
    for role in Role:
        ids[role] = users.create(database, name=f"a-{role}", roles=[role]).id
    users.create(database, name="another", roles=["administrator"])
    for role in (Role.PARTNER, Role.PATIENT):
        grant = Grant(kind=GrantKind.STUDY, value=STUDY)
        replace_all(database, Holder(user_id=ids[role]), [grant], granted_by="test")
    secret, _ = links.create(
        database,
        study_instance_uid=STUDY,
        created_by="test",
        expires_in=timedelta(hours=1),
    )

    def cookie(subject):
        if subject == "nobody":
            return None
        if subject == "link":
            return links.exchange(database, limits, secret, pin=None)[1]
        return sessions.create(database, limits, user_id=ids[subject], method="provider test")

    return cookie


def cell(status):
    """401: ask who it is; 403: no."""
    return {401: "–", 403: "."}.get(status, "y")


def walk(served, subjects, loop):
    """Rows of the HTTP table: method, template, one cell per subject."""
    doors = [*api_routes(served), *((m, p, p) for m, p in [*DICOMWEB, *OTHERS])]
    rows = {}
    for subject in SUBJECTS:
        kept = subjects(subject)
        for method, template, path in doors:
            if path.startswith(("/api/v1/session", "/api/v1/me")):
                kept = subjects(subject)  # the one before may have been ended
            status = loop.run_until_complete(ask(served.application, method, path, kept)())
            shown = template.replace(f"{STUDY}.1.1", "{instance}").replace(f"{STUDY}.1", "{series}")
            shown = (
                shown.replace(STUDY, "{study}")
                .replace("1.2.3", "{workitem}")
                .replace("VIEWER", "{aetitle}")
            )
            rows.setdefault((method, shown), []).append(cell(status))
    return rows


def dimse_rows(served, settings):
    """Rows of the DICOM table: service, abstract syntax, one cell per AE role."""
    services = served.services
    retrieval = Retrieval(services.database, [])
    table = ServiceTable(
        dicom.services(
            settings, services.archive, retrieval, services.access._reads, services.pixels
        )
    )
    rows = {}
    for service in table.services:
        syntax = min(service.abstract_syntaxes)
        for role in (None, *AERole):
            entity = None
            if role is not None:
                entity = ApplicationEntity(
                    ae_title="PEER",
                    host="h",
                    port=104,
                    roles=frozenset({role}),
                    tls=False,
                    description="",
                )
            callers = RegisteredCallers(
                ae_title=settings.ae_title, services=table, find_ae=lambda _, found=entity: found
            )
            syntaxes = tuple(sorted(service.transfer_syntaxes or {"1.2.840.10008.1.2"}))
            request = AssociateRequest(
                called_ae_title=settings.ae_title,
                calling_ae_title="PEER",
                application_context_name="1.2.840.10008.3.1.1.1",
                protocol_version=1,
                presentation_contexts=(
                    ProposedPresentationContext(
                        context_id=1, abstract_syntax=syntax, transfer_syntaxes=syntaxes
                    ),
                ),
                user_information=SimpleNamespace(
                    roles=(), extended_negotiation=(), async_window=None
                ),
            )
            judged = callers.judge(request, Peer(host="127.0.0.1", port=1))
            accepted = isinstance(judged, Accept) and all(
                one.result == ContextResult.ACCEPTANCE for one in judged.contexts
            )
            rows.setdefault(service.name, []).append("y" if accepted else ".")
    return rows


def page(http, dimse):
    """docs/access-matrix.md."""

    def table(head, rows):
        lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])

    def may(actions, action):
        return "y" if action in actions | FOR_EVERYBODY else "."

    functions = [
        [
            str(action),
            *(may(USER_ACTIONS[role], action) for role in Role),
            may(LINK_ACTIONS, action),
        ]
        for action in Action
    ]
    of_peers = [
        [str(action), *(may(AE_ACTIONS[role], action) for role in AERole)]
        for action in Action
        if any(action in AE_ACTIONS[role] for role in AERole)
    ]
    doors = [[f"`{m}`", f"`{p}`", *cells] for (m, p), cells in http.items()]
    services = [[name, *cells] for name, cells in dimse.items()]
    return f"""# Who may do what

Written by `tests/entrypoints/web/test_access_matrix.py`, which asks for every route as everybody, and compares. `y`: may (the
answer may still be that there is nothing, or that the request makes no sense); `.`: refused; `–`: must sign in first. Which
*studies* somebody sees is a second question, the [data scope](admin/identity.md#data-scope): here a partner and a patient were
granted the study asked for, and a link leads to it.

## Functions of roles

{table(["function", *(str(role) for role in Role), "link"], functions)}

## Functions of application entities

{table(["function", *(str(role) for role in AERole)], of_peers)}

## Routes of the HTTP side

{table(["", "route", *SUBJECTS], doors)}

## DICOM services

Whether a presentation context is accepted from an application entity with one role, and from an unknown one.

{table(["service", "unknown", *(str(role) for role in AERole)], services)}
"""


def test_every_route_answers_everybody_as_the_page_says(served, helpers, subjects, settings):
    """Route by route; the first difference is named."""
    served.store(helpers.make_ct(1))
    http = walk(served, subjects, helpers.loop)
    written = page(http, dimse_rows(served, settings))
    if os.environ.get("ACCESS_MATRIX") == "write":
        PAGE.write_text(written, encoding="utf-8")
    expected = PAGE.read_text(encoding="utf-8").splitlines()
    for line in written.splitlines():
        assert line in expected, f"not as docs/access-matrix.md says: {line}"
    assert written.splitlines() == expected, "docs/access-matrix.md has rows that are gone"


def test_no_transaction_of_dicomweb_is_left_out():
    """As many branches as this test knows; a new one needs its rows here."""
    assert len(re.findall(r"\breturn\b", inspect.getsource(DicomWeb._find))) == 26


def test_nothing_but_the_door_is_open_to_nobody(served, helpers, subjects):
    """Without a credential: signing in, health, the application's own files."""
    for method, _, path in api_routes(served):
        if not path.startswith("/api/v1/session"):
            status = helpers.loop.run_until_complete(ask(served.application, method, path, None)())
            assert status == 401, (method, path)
