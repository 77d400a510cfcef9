"""OHIF at ``/ohif``: what is installed, who may see it, what is sent how."""

import base64
import gzip
import hashlib
import io
import json
import re
import tarfile
from dataclasses import replace
from pathlib import Path

import brotli
import pytest

from negatoscope.domain.identity import Actor, users
from negatoscope.entrypoints.web.ohif import installer
from negatoscope.entrypoints.web.ohif.configuration import configuration
from negatoscope.entrypoints.web.ohif.installation import Installation

BROWSER = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}
APP = "app.bundle.0123456789abcdef.js"
INDEX = (
    '<!doctype html><html><head><script>window.PUBLIC_URL="/"</script>'
    + '<link href="/a.png">' * 33
    + '<script>function browserImportFunction(n){return import(n)}window.PUBLIC_URL="/"</script>'
    + f'<script defer src="{APP}"></script></head><body></body></html>'
)
PUBLIC_PATH = '__webpack_require__.p = "/";'


def build(path: Path, **other: str) -> Path:
    """A package like OHIF's, a thousandth of its size, and its digest in the installer's place."""
    files = {
        "index.html": INDEX,
        APP: PUBLIC_PATH
        + "browserImportFunction('/dicom-microscopy-viewer/x.js')"
        + "for (let i = 0; i < ModalitiesInStudy.Value.length; i++) {}"
        + "// code\n" * 200,
        **{f"{n}.bundle.{n:016x}.js": PUBLIC_PATH for n in range(1, 8)},
        "app.bundle.css": "@font-face{src:url(/f.woff2)}" * 5 + "a{}" * 200,
        "manifest.json": '{"icons":[' + '"/assets/a.png",' * 9 + '""]}',
        "0123456789abcdef.wasm": "\0asm" * 100,
        "assets/a.png": "picture",
        "dicom-microscopy-viewer/x.js": "slides",
        "ort/ort.js": "network",
        "x.js.map": "{}",
        "app-config.js": "window.config = {}",
        **other,
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("package/dist/link.js")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return path


def digest_of(path: Path) -> str:
    """As a registry publishes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package whose digest is the expected one."""
    path = build(tmp_path / "ohif.tgz")
    monkeypatch.setattr(installer, "INTEGRITY", digest_of(path))
    return path


@pytest.fixture
def hosted(served, package):
    """An archive with OHIF."""
    installer.install(served.services.settings.data_dir, tarball=package)
    return served


@pytest.fixture
def browser(hosted, helpers):
    """A radiologist's browser, signed in."""
    users.create(
        hosted.services.database, name="ana", roles=["radiologist"], password=helpers.password
    )
    client = hosted.client(None)
    client.headers = dict(BROWSER)
    client.post("/api/v1/session", json={"name": "ana", "password": helpers.password})
    return client


def test_installing(package, tmp_path):
    """Everything that is bound to the root of a host is moved, what is not needed is left out."""
    done = installer.install(tmp_path / "data", tarball=package)
    assert not {"ort/ort.js", "x.js.map", "app-config.js", "link.js"} & set(done.assets)
    assert "dicom-microscopy-viewer/x.js" not in done.assets
    index = (done.root / "index.html").read_text()
    assert '"/ohif/a.png"' in index
    assert f'{APP}?{installer.REVISION}"' in index
    assert installer.is_current(done)
    assert not installer.is_current(replace(done, revision="other"))
    assert not installer.is_current(done, with_microscopy=True)
    assert 'PUBLIC_URL="/ohif/"' in index
    assert not re.search(r'(?:src|href|content|PUBLIC_URL)="/(?!ohif/)', index)
    assert '.p = "/ohif/";' in (done.root / APP).read_text()
    assert "('/ohif/dicom-microscopy-viewer/" in (done.root / APP).read_text()
    assert "url(/ohif/f.woff2" in (done.root / "app.bundle.css").read_text()
    assert "(ModalitiesInStudy.Value || []).length" in (done.root / APP).read_text()
    assert done.assets[APP].is_immutable
    assert not done.assets["app.bundle.css"].is_immutable
    assert Installation.read(tmp_path / "data" / "ohif") == done
    again = installer.install(tmp_path / "data", tarball=package, with_microscopy=True)
    assert "dicom-microscopy-viewer/x.js" in again.assets
    folders = [path for path in (tmp_path / "data" / "ohif").iterdir() if path.is_dir()]
    assert folders == [again.root]
    assert installer.remove(tmp_path / "data")
    assert not (tmp_path / "data" / "ohif").exists()


def test_another_version_is_refused(tmp_path, monkeypatch):
    """By its digest; and were the digest right, by what is patched. Nothing is left behind."""
    path = build(tmp_path / "other.tgz", **{"9.bundle.0000000000000009.js": PUBLIC_PATH})
    with pytest.raises(installer.OhifError, match="its digest is"):
        installer.install(tmp_path / "data", tarball=path)
    monkeypatch.setattr(installer, "INTEGRITY", digest_of(path))
    with pytest.raises(installer.OhifError, match="9 times"):
        installer.install(tmp_path / "data", tarball=path)
    assert list((tmp_path / "data" / "ohif").iterdir()) == []


def test_a_package_that_leads_out_is_refused(tmp_path, monkeypatch):
    """A file name with .. in it."""
    path = build(tmp_path / "evil.tgz", **{"../../evil.js": "x"})
    monkeypatch.setattr(installer, "INTEGRITY", digest_of(path))
    with pytest.raises(installer.OhifError, match="named"):
        installer.install(tmp_path / "data", tarball=path)
    assert not list(tmp_path.rglob("evil.js"))


def test_without_npm(tmp_path, monkeypatch):
    """Said plainly, with what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(installer.OhifError, match="npm is not on this machine") as caught:
        installer.install(tmp_path / "data")
    assert "--from" in caught.value.hint


def test_who_may_see_it(hosted):
    """Signed in, with the right to query and to retrieve."""
    nobody = hosted.client(None)
    answer = nobody.get("/ohif/viewer?StudyInstanceUIDs=1.2.3", headers=BROWSER)
    assert answer.status_code == 303
    assert answer.headers["location"] == (
        "/sign-in?next=%2Fohif%2Fviewer%3FStudyInstanceUIDs%3D1.2.3"
    )
    assert nobody.get("/ohif/app-config.js").status_code == 401
    assert hosted.client("secretary").get("/ohif/").status_code == 403
    assert hosted.client("clinician").get("/ohif/").status_code == 200
    assert hosted.client().get("/ohif").headers["location"] == "/ohif/"
    assert hosted.client().post("/ohif/").status_code == 405


def test_documents(browser):
    """Addresses of the viewer get index.html with a policy that names its scripts."""
    page = browser.get("/ohif/viewer/dicomweb?StudyInstanceUIDs=1.2.840.113619")
    assert page.status_code == 200
    assert browser.get("/ohif/viewer/1.2.840.113619.2").text == page.text
    policy = page.headers["content-security-policy"]
    scripts = re.findall(r"<script>(.*?)</script>", page.text)
    assert len(scripts) == 2
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    script_source = policy.split("script-src")[1].split(";")[0]
    assert "unsafe-inline" not in script_source
    assert "'unsafe-eval'" not in script_source
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["x-frame-options"] == "SAMEORIGIN"


def test_files(hosted):
    """Compressed beforehand, for ever where the name tells the content, conditional else."""
    client = hosted.client()
    root = Installation.read(hosted.services.settings.data_dir / "ohif").root
    plain = (root / APP).read_bytes()
    for accepted, decode in (
        ("br, gzip", brotli.decompress),
        ("br;q=0, gzip", gzip.decompress),
        ("*", brotli.decompress),
        ("identity", bytes),
        ("gzip;q=nonsense", bytes),
    ):
        raw = hosted.client()
        raw.headers["Accept-Encoding"] = accepted
        answer = raw.get(f"/ohif/{APP}")
        encoding = answer.headers.get("content-encoding")
        suffix = {"br": ".br", "gzip": ".gz", None: ""}[encoding]
        assert decode((root / (APP + suffix)).read_bytes()) == plain
        assert answer.content == plain
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["vary"] == "accept-encoding"
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    style = client.get("/ohif/app.bundle.css")
    assert style.headers["cache-control"] == "no-cache"
    same = client.get("/ohif/app.bundle.css", headers={"If-None-Match": style.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    head = client.request("HEAD", "/ohif/assets/a.png")
    assert (head.content, head.headers["content-type"]) == (b"", "image/png")
    assert client.get("/ohif/0123456789abcdef.wasm").headers["content-type"] == "application/wasm"


@pytest.mark.parametrize(
    "path",
    ["missing.js", "../../etc/passwd.txt", "%2e%2e/%2e%2e/installation.json", "installation.json",
     f"{APP}.br", "assets/..%2f..%2finstallation.json", "//etc/hosts.conf", "a%00b.js"],
)  # fmt: skip
def test_nothing_else_is_served(hosted, path):
    """Neither what is not of the build nor what lies elsewhere."""
    assert hosted.client().get(f"/ohif/{path}").status_code == 404


def test_configuration_of_a_person(browser):
    """Never kept, in the person's language, for the person's roles."""
    answer = browser.get("/ohif/app-config.js", headers={"Accept-Language": "fr"})
    assert answer.headers["cache-control"] == "no-store"
    assert '"i18nextLng", "fr"' in answer.text
    text = answer.text.split("window.config = ")[1].split(";\nwindow.config")[0]
    said = json.loads(text)
    source = said["dataSources"][0]["configuration"]
    assert (source["qidoRoot"], said["routerBasename"]) == ("/dicom-web", "/ohif")
    assert said["modesConfiguration"]["@ohif/mode-microscopy"] == {"hide": {"$set": True}}
    assert "@ohif/mode-segmentation" in said["modesConfiguration"]


def test_modes_by_role():
    """A clinician views; a radiologist segments too."""

    def hidden(role: str) -> set[str]:
        actor = Actor(kind="user", name="x", roles=frozenset({role}))
        modes = configuration(actor, "en", has_microscopy=True)["modesConfiguration"]
        return {mode for mode, said in modes.items() if "hide" in said}

    assert hidden("radiologist") < hidden("clinician")
    assert "@ohif/mode-segmentation" in hidden("clinician") - hidden("radiologist")


def test_tools_and_list_by_role():
    """Who does not read for a living has a few tools; a patient and a link have no list of studies."""

    def said(kind: str, *roles: str) -> dict[str, object]:
        actor = Actor(kind=kind, name="x", roles=frozenset(roles))
        return configuration(actor, "en", has_microscopy=False)

    assert said("user", "radiologist")["customizationService"] == {}
    assert said("user", "clinician", "radiologist")["customizationService"] == {}
    small = said("user", "clinician")["customizationService"]["mode"]["viewer"]
    assert small["rightPanels"] == {"$set": []}
    assert "Length" in small["toolbarSections"]["$push"][0]["primary"]
    assert said("user", "clinician")["showStudyList"] is True
    assert said("user", "patient")["showStudyList"] is False
    assert said("link")["showStudyList"] is False
    assert said("anonymous")["showStudyList"] is False


def test_pages_know_whether_it_is_there(hosted, browser):
    """They lead to it only while it is installed."""
    assert browser.get("/api/v1/addresses").json()["has_ohif"] is True
    installer.remove(hosted.services.settings.data_dir)
    assert browser.get("/api/v1/addresses").json()["has_ohif"] is False
    assert browser.get("/ohif/").status_code == 404


def test_an_unusable_manifest_is_no_installation(hosted):
    """Damaged on disk: as if there were none."""
    (hosted.services.settings.data_dir / "ohif" / "installation.json").write_text("{")
    assert hosted.client().get("/ohif/").status_code == 404
