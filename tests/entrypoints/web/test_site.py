"""The web application's files: who gets what, under which headers, and what is refused."""

import asyncio
import gzip
import importlib.util
import os
from pathlib import Path

import brotli
import pytest

from negatoscope.domain.identity import Actor
from negatoscope.entrypoints.web.asgi import Request
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.site import Site
from negatoscope.entrypoints.web.site.build import Builds
from negatoscope.entrypoints.web.site.routes import is_application_route

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = "<!doctype html><div id=root></div>" + " " * 600
SCRIPT = "import('./Page-b.js');\n" * 50


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A build like Vite's, compressed as ours is."""
    folder = tmp_path / "dist"
    for name, text in {
        "index.html": DOCUMENT,
        "icon.svg": "<svg/>",
        "manifest.json": "{}",
        ".built-from": "sum",
        "assets/index-a.js": SCRIPT,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if len(text) > 512:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(text.encode()))
            path.with_name(path.name + ".br").write_bytes(brotli.compress(text.encode()))
    (tmp_path / "secret").write_text("key")
    (folder / "assets" / "link.js").symlink_to(tmp_path / "secret")
    return folder


def ask(dist: Path, path: str, method: str = "GET", **headers: str):
    """Status, headers and body of a request."""
    sent: list[dict] = []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }

    async def send(message: dict) -> None:
        sent.append(message)

    asyncio.run(Site(Builds(dist))(Request(scope, None, Actor.anonymous()), send))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(one.get("body", b"") for one in sent[1:])


def test_files_with_a_sum_in_their_name_stay_for_ever(dist: Path) -> None:
    """Compressed as the client likes best; the same bytes after decoding."""
    for accepted, coding, decode in (
        ("gzip, deflate, br", "br", brotli.decompress),
        ("gzip, br;q=0", "gzip", gzip.decompress),
        ("identity", None, bytes),
    ):
        status, headers, body = ask(dist, "/assets/index-a.js", accept_encoding=accepted)
        assert status == 200
        assert headers.get("content-encoding") == coding
        assert decode(body) == SCRIPT.encode()
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert headers["content-type"].startswith("text/javascript")
        assert headers["vary"] == "accept-encoding"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/sign-in",
        "/setup/s",
        "/studies",
        "/viewer",
        "/patients/1^2",
        "/admin/ae",
        "/link/s",
        "/account",
        "/design",
    ],
)
def test_every_route_of_the_application_is_its_document(dist: Path, path: str) -> None:
    """Never kept, with a policy that lets no inline script run."""
    status, headers, body = ask(dist, path)
    assert (status, body) == (200, DOCUMENT.encode())
    assert headers["cache-control"] == "no-store"
    policy = dict(
        one.strip().split(" ", 1) for one in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../secret",
        "/assets/..%2f..%2fsecret",
        "/assets//etc/passwd",
        "/assets/link.js",
        "/assets/index-old.js",
        "/manifest.json",
        "/.built-from",
        "/admin/../../secret",
        "/admin/..\\secret",
        "/index.html",
        "/assets/index-a.js.br",
        "",
        "//",
        "/elsewhere",
    ],
)
def test_nothing_else_is_given(dist: Path, path: str) -> None:
    """Neither what lies outside, nor what is not for clients, nor the document for any path."""
    with pytest.raises(Problem) as refused:
        ask(dist, path)
    assert refused.value.code == "not-found"


def test_only_reading(dist: Path) -> None:
    """A HEAD has no body; anything else is refused."""
    assert ask(dist, "/studies", "HEAD")[2] == b""
    with pytest.raises(Problem) as refused:
        ask(dist, "/studies", "POST")
    assert refused.value.allow == "GET, HEAD"


def test_a_new_build_is_noticed(dist: Path) -> None:
    """Without a restart of the server."""
    builds = Builds(dist)
    assert "assets/index-b.js" not in builds.current().files
    (dist / "assets" / "index-b.js").write_text("b")
    os.utime(dist / "index.html", ns=(1, 1))
    assert "assets/index-b.js" in builds.current().files


@pytest.mark.parametrize(
    ("language", "words"), [("fr-FR,en;q=0.5", "installez Node.js"), ("en", "install Node.js")]
)
def test_without_a_build_the_page_says_what_to_do(
    tmp_path: Path, language: str, words: str
) -> None:
    """In the reader's language."""
    status, headers, body = ask(tmp_path, "/studies", accept_language=language)
    assert status == 503
    assert words in body.decode()
    assert "make web" in body.decode()
    assert headers["cache-control"] == "no-store"


def test_routes() -> None:
    """First segments decide."""
    assert is_application_route("/admin")
    assert not is_application_route("/administration")
    assert not is_application_route("/api/v1/studies")


def test_types_of_the_client_are_current() -> None:
    """``make client`` would change nothing."""
    path = ROOT / "tools" / "generate_api_client.py"
    specification = importlib.util.spec_from_file_location("generate_api_client", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert module.render(module.openapi()) == module.TARGET.read_text(encoding="utf-8"), (
        "the routes of /api/v1 changed: run `make client` and commit the result"
    )
