"""What an administrator does: look, stop, start, verify, make the index again, all through the command line."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.timeout(300)


def some(corpus: list[Any]) -> list[Any]:
    """A mixture of classes and syntaxes."""
    folders = (
        "ct/nist-multi-ct/images",
        "sr/basic",
        "pdf/",
        "us/US1_J2KI",
        "video/h264",
        "charsets/chrFren.",
    )
    return [thing for thing in corpus if thing.name.startswith(folders)]


def everything(archive: Any) -> dict[str, Any]:
    """Answers to queries and metadata that must not depend on how the index came to be."""
    client = archive.client()
    answers: dict[str, Any] = {}
    for resource in ("studies", "series", "instances"):
        found = client.get(resource, params={"includefield": "all", "limit": 1000}).json()
        answers[resource] = sorted(json.dumps(item, sort_keys=True) for item in found)
    for item in client.get("studies").json():
        uid = item["0020000D"]["Value"][0]
        metadata = client.get(f"studies/{uid}/metadata").json()
        answers[uid] = sorted(json.dumps(one, sort_keys=True) for one in metadata)
    return answers


def without_addresses(answers: dict[str, Any], archive: Any) -> dict[str, Any]:
    """The same whatever port the server has."""
    return json.loads(json.dumps(answers).replace(archive.url, "http://archive"))


def test_reindex_gives_the_same_answers(
    start_archive: Callable[..., Any], corpus: list[Any], stranger: Any, tmp_path: Path
) -> None:
    """From the segments alone: every query and all metadata are as before, every object verifies."""
    first = start_archive(tmp_path)
    assert set(stranger.store(first, some(corpus)).values()) == {0x0000}
    before = without_addresses(everything(first), first)
    assert first.stop() == 0
    said = first.run("reindex", "--yes", "--verify").stdout
    assert f"{len(some(corpus))} objects indexed" in said
    again = start_archive(tmp_path, configured=False)
    again.token = first.token
    assert without_addresses(everything(again), again) == before
    assert f"{len(some(corpus))} verified, 0 damaged" in again.run("verify").stdout
    assert again.stop() == 0


def test_bit_rot_is_told_and_never_sent(
    start_archive: Callable[..., Any], corpus: list[Any], stranger: Any
) -> None:
    """One flipped byte on disk: that object is refused, its neighbours are served, ``verify`` names it."""
    archive = start_archive()
    things = some(corpus)[:3]
    stranger.store(archive, things)
    victim = things[1]
    for segment in (archive.data_dir / "volumes" / "main" / "segments").rglob("*.tar"):
        content = segment.read_bytes()
        where = content.find(victim.data_set)
        if where >= 0:
            segment.chmod(0o600)
            with segment.open("r+b") as opened:
                opened.seek(where + len(victim.data_set) - 10)
                opened.write(bytes([content[where + len(victim.data_set) - 10] ^ 1]))

    def fetch(thing: Any) -> httpx.Response:
        return archive.client().get(
            f"studies/{thing.study_instance_uid}/series/{thing.series_instance_uid}"
            f"/instances/{thing.sop_instance_uid}",
            headers={"Accept": "application/dicom; transfer-syntax=*"},
        )

    assert fetch(victim).status_code == 500
    assert fetch(things[0]).content.endswith(things[0].data_set)
    done = archive.run("verify", check=False)
    assert done.returncode == 1
    assert victim.sop_instance_uid in done.stdout
    assert victim.sop_instance_uid in archive.run("task", "list").stdout
    assert stranger.store(archive, [victim]) == {victim.name: 0x0000}
    deadline = time.monotonic() + 15  # a reader may remember the damaged place for some seconds
    while fetch(victim).status_code != 200 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert fetch(victim).content.endswith(victim.data_set)


def test_doctor_finds_nothing_wrong(archive: Any) -> None:
    """Beside a running server, exit code 0."""
    assert archive.run("doctor").returncode == 0


def test_health_needs_no_account(archive: Any) -> None:
    """Load balancers ask without a token; figures need one."""
    assert httpx.get(f"{archive.url}/healthz").status_code == 200
    assert httpx.get(f"{archive.url}/readyz").status_code == 200
    assert httpx.get(f"{archive.url}/metrics").status_code == 401
    token = archive.create_token("root", "administrator")
    text = archive.client(token=token).get(f"{archive.url}/metrics").text
    assert "negatoscope_c_store_seconds" in text


def test_roles_limit_what_a_token_may(archive: Any) -> None:
    """A secretary searches but retrieves nothing; a partner finds only what it was given."""
    secretary = archive.client(token=archive.create_token("sec", "secretary"))
    partner = archive.client(token=archive.create_token("par", "partner"))
    assert secretary.get("studies").status_code in (200, 204)
    assert secretary.get("studies/1.2.3").status_code == 403
    assert partner.get("studies").status_code == 204


def test_second_server_on_one_data_directory_is_refused(archive: Any) -> None:
    """Exit code 2 and a hint, and the first one is not disturbed."""
    done = archive.run("serve", "--http", "127.0.0.1:0", "--dicom", "127.0.0.1:0", check=False)
    assert done.returncode != 0
    assert "HINT" in done.stderr
    assert httpx.get(f"{archive.url}/readyz").status_code == 200
