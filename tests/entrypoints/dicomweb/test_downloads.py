"""Archives: whole, readable by others, their length known before."""

import shutil
import subprocess
import zipfile
from io import BytesIO

import numpy as np
import pydicom
import pytest

from negatoscope.entrypoints.dicomweb import archive_zip

JPEG_LS = "1.2.840.10008.1.2.4.80"
STUDY = "1.2.826.0.1.3680043.10.1.1"
ROOT = f"/dicom-web/studies/{STUDY}"
SERIES = f"{ROOT}/series/{STUDY}.1"
INSTANCE = f"{SERIES}/instances/{STUDY}.1.1"


@pytest.mark.parametrize(("path", "count"), [(ROOT, 3), (SERIES, 2), (INSTANCE, 1)])
def test_a_level_as_an_archive(served, helpers, tmp_path, path, count):
    """The files are those that went in, but for a preamble of zeros; unzip agrees."""
    objects = [helpers.make_ct(1), helpers.make_ct(2, transfer_syntax=JPEG_LS)]
    objects.append(helpers.make_ct(1, series=2))
    objects[0].preamble = b"MZ" + bytes(126)
    assert served.store(*objects).status_code == 200
    answer = served.client().get(path, headers={"Accept": "application/zip"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert ".zip" in answer.headers["content-disposition"]
    assert int(answer.headers["content-length"]) == len(answer.content)
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(set(names)) == count
        assert names[0] == f"{STUDY}/{STUDY}.1/{STUDY}.1.1.dcm"
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
        first = archive.read(names[0])
    assert first[:132] == bytes(128) + b"DICM"
    assert helpers.data_set_of(first) == helpers.data_set_of(helpers.part10(objects[0]))
    file = tmp_path / "a.zip"
    file.write_bytes(answer.content)
    subprocess.run(["python3", "-m", "zipfile", "-t", str(file)], check=True, timeout=30)


def test_who_wants_an_archive(served, helpers):
    """It must be named: anything else is answered with DICOM; a syntax that nothing writes is refused."""
    assert served.store(helpers.make_ct(1)).status_code == 200
    client = served.client()
    assert client.get(ROOT).headers["content-type"].startswith("multipart/related")
    both = {"Accept": 'application/zip;q=0.5, multipart/related; type="application/dicom"'}
    assert client.get(ROOT, headers=both).headers["content-type"].startswith("multipart/related")
    assert client.get(f"{ROOT}?accept=application/zip").content[:4] == b"PK\3\4"
    for syntax, status in (
        ("*", 200),
        ("1.2.840.10008.1.2.1", 200),
        ("1.2.840.10008.1.2.4.102", 406),
    ):
        accept = {"Accept": f"application/zip; transfer-syntax={syntax}"}
        assert client.get(ROOT, headers=accept).status_code == status
    head = client.request("HEAD", ROOT, headers={"Accept": "application/zip"})
    assert (head.status_code, head.content) == (200, b"")
    assert client.get(f"{ROOT}9", headers={"Accept": "application/zip"}).status_code == 404


def test_an_archive_in_another_transfer_syntax(served, helpers, tmp_path):
    """Made on the way, read by others; what cannot be given so is there as it is stored."""
    objects = [helpers.make_ct(1, frames=2), helpers.make_ct(2, transfer_syntax=JPEG_LS)]
    assert served.store(*objects).status_code == 200
    accept = {"Accept": "application/zip; transfer-syntax=1.2.840.10008.1.2.5"}
    answer = served.client().get(ROOT, headers=accept)
    assert answer.status_code == 200, answer.text
    assert "content-length" not in answer.headers
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        given = [pydicom.dcmread(BytesIO(archive.read(name))) for name in archive.namelist()]
    assert given[0].file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.5"
    assert np.array_equal(given[0].pixel_array, objects[0].pixel_array)
    assert given[1].file_meta.TransferSyntaxUID == JPEG_LS  # whose code stream is no JPEG-LS
    file = tmp_path / "a.zip"
    file.write_bytes(answer.content)
    subprocess.run(["python3", "-m", "zipfile", "-t", str(file)], check=True, timeout=30)
    if shutil.which("unzip"):
        subprocess.run(["unzip", "-tq", str(file)], check=True, timeout=30)


def test_sizes_counts_and_offsets_beyond_32_bits(monkeypatch):
    """Zip64 where it is needed, shown with a limit that small files pass."""
    files = [bytes([n]) * (50 * n) for n in range(5)]
    monkeypatch.setattr(archive_zip, "_LIMIT", 100)
    entries = [archive_zip.Entry(b"%d" % n, len(file)) for n, file in enumerate(files)]
    assert [entry.is_long for entry in entries] == [False, False, True, True, True]
    monkeypatch.undo()
    big = archive_zip.Entry(b"big", 5 << 30)
    after = archive_zip.Entry(b"after", 1)
    directory = big.central_header(1, 0) + after.central_header(2, big.length)
    whole = archive_zip.archive_length((big, after))
    end = archive_zip._end(2, big.length + after.length, len(directory))
    assert whole == big.length + after.length + len(directory) + len(end)
    assert len(end) == 22 + 20 + 56
    assert len(big.local_header()) == 30 + 3 + 20
    assert len(archive_zip._end(70_000, 10, 10)) == 98


def test_names_are_digits_and_dots(served, helpers):
    """What an object calls itself is never a path."""

    class Hostile:
        study_instance_uid, series_instance_uid, sop_instance_uid = "../..", "a/b", "\0"

    assert archive_zip.entry_name(Hostile()) == b"__/___/_.dcm" or (
        b".." not in archive_zip.entry_name(Hostile())
    )


def test_studies_chosen_in_a_list_are_one_archive(served, helpers):
    """Each in its folder, each in the trail as an export; one that may not be had stops all."""
    served.store(helpers.make_ct(1), helpers.make_ct(1, study="1.2.3"))
    client = served.client()
    path = f"/dicom-web/archive?study={STUDY}&study=1.2.3&study=1.2.3"
    with zipfile.ZipFile(BytesIO(client.get(path).content)) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {STUDY, "1.2.3"}
        assert archive.testzip() is None
    with served.services.database.connection() as connection:
        rows = connection.execute(
            "SELECT study_instance_uid FROM audit_event WHERE action = 'retrieve' ORDER BY id"
        ).fetchall()
    assert rows == [(STUDY,), ("1.2.3",)]
    for query, code in (
        ("", "bad-query"),
        ("?study=x", "bad-uid"),
        (f"?study={STUDY}&study=1.9", "study-not-found"),
        ("?" + "&".join(f"study=1.{n}" for n in range(51)), "bad-query"),
    ):
        assert client.get(f"/dicom-web/archive{query}").json()["code"] == code
    assert served.client("secretary").get(path).status_code == 403
