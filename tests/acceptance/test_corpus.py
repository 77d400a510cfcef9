"""Every real object goes in and comes back with the same data set bytes, whatever its class and transfer syntax.

Several files of the corpus share a SOP Instance UID (one image in fifteen transfer syntaxes) or a Study Instance
UID with another patient. Such files cannot be in one archive at once, so the corpus is dealt into waves, each for
an archive of its own.
"""

import re
from collections.abc import Callable, Iterator
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import pytest
from pynetdicom import AE, evt
from pynetdicom.presentation import build_role

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
NON_PATIENT = re.compile(r"private/(hotiron|pet)$")


def is_identified(thing: Any) -> bool:
    """Whether PS3.3 lets it be filed: it names itself, its study and its series (or belongs to no patient)."""
    if not thing.sop_instance_uid or not thing.sop_class_uid:
        return False
    filed = bool(thing.study_instance_uid and thing.series_instance_uid)
    return filed or bool(NON_PATIENT.search(thing.name))


def deal(things: list[Any]) -> list[list[Any]]:
    """Waves in which SOP Instance UIDs are unique and a study has one patient."""
    waves: list[list[Any]] = []
    owners: list[dict[str, tuple[str, str, str]]] = []
    for thing in things:
        for wave, owner in zip(waves, owners, strict=True):
            same_patient = owner.get(thing.study_instance_uid, thing.patient) == thing.patient
            if same_patient and all(t.sop_instance_uid != thing.sop_instance_uid for t in wave):
                wave.append(thing)
                owner[thing.study_instance_uid] = thing.patient
                break
        else:
            waves.append([thing])
            owners.append({thing.study_instance_uid: thing.patient})
    return waves


def parts(response: Any) -> Iterator[tuple[dict[str, str], bytes]]:
    """Headers and bodies of a multipart/related answer."""
    boundary = re.search(r'boundary="?([^";]+)', response.headers["content-type"]).group(1).encode()
    for piece in response.content.split(b"--" + boundary)[1:-1]:
        head, _, body = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = BytesParser(policy=HTTP).parsebytes(head + b"\r\n\r\n")
        yield {name.lower(): value for name, value in headers.items()}, body.removesuffix(b"\r\n")


def data_set_of(part10: bytes) -> bytes:
    """What follows the file meta information: its group length says where (PS3.10 §7.1)."""
    assert part10[128:132] == b"DICM"
    assert part10[132:136] == b"\x02\x00\x00\x00"
    return part10[144 + int.from_bytes(part10[140:144], "little") :]


@pytest.fixture(scope="module")
def waves(corpus: list[Any]) -> list[list[Any]]:
    """The corpus, dealt."""
    return deal([thing for thing in corpus if is_identified(thing)])


def fetch_by_wado(archive: Any, thing: Any) -> bytes:
    """The data set of one instance by WADO-RS, as stored."""
    client = archive.client()
    accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
    if thing.study_instance_uid:
        path = (
            f"studies/{thing.study_instance_uid}/series/{thing.series_instance_uid}"
            f"/instances/{thing.sop_instance_uid}"
        )
    else:
        found = client.get("instances", params={"SOPInstanceUID": thing.sop_instance_uid}).json()
        study, series = (found[0][tag]["Value"][0] for tag in ("0020000D", "0020000E"))
        path = f"studies/{study}/series/{series}/instances/{thing.sop_instance_uid}"
    response = client.get(path, headers={"Accept": accept})
    assert response.status_code == 200, f"{thing.name}: {response.text[:300]}"
    (headers, body), *others = parts(response)
    assert others == []
    assert f"transfer-syntax={thing.transfer_syntax_uid}" in headers["content-type"].replace(
        '"', ""
    )
    return data_set_of(body)


def fetch_by_c_get(archive: Any, things: list[Any]) -> dict[str, bytes]:
    """Data sets by SOP Instance UID, by C-GET of their studies, each in the syntax it was sent in."""
    received: dict[str, bytes] = {}

    def keep(event: evt.Event) -> int:
        received[str(event.request.AffectedSOPInstanceUID)] = event.request.DataSet.getvalue()
        return 0x0000

    by_study: dict[str, list[Any]] = {}
    for thing in things:
        by_study.setdefault(thing.study_instance_uid, []).append(thing)
    for study, members in by_study.items():
        entity = AE(ae_title="STRANGER")
        entity.maximum_pdu_size = 0
        entity.add_requested_context(STUDY_ROOT_GET)
        for pair in dict.fromkeys((m.sop_class_uid, m.transfer_syntax_uid) for m in members):
            entity.add_requested_context(*pair)
        roles = [build_role(uid, scp_role=True) for uid in {m.sop_class_uid for m in members}]
        association = entity.associate(
            archive.host,
            archive.dicom_port,
            ae_title=archive.ae_title,
            ext_neg=roles,
            evt_handlers=[(evt.EVT_C_STORE, keep)],
        )
        assert association.is_established
        request = query_data_set(QueryRetrieveLevel="STUDY", StudyInstanceUID=study)
        *_, (status, _failed) = association.send_c_get(request, STUDY_ROOT_GET)
        association.release()
        assert status.Status == 0x0000, f"study {study}: {status}"
        assert status.NumberOfCompletedSuboperations == len(members)
    return received


def query_data_set(**elements: str) -> Any:
    """An identifier."""
    from pydicom.dataset import Dataset

    found = Dataset()
    for keyword, value in elements.items():
        setattr(found, keyword, value)
    return found


def test_every_object_comes_back_as_it_went_in(
    start_archive: Callable[..., Any], waves: list[list[Any]], stranger: Any
) -> None:
    """C-STORE in the file's own transfer syntax, then WADO-RS and C-GET: identical data set bytes."""
    sent = 0
    for wave in waves:
        archive = start_archive()
        refused = {
            name: f"{status:04X}"
            for name, status in stranger.store(archive, wave).items()
            if status not in (0x0000, 0xB000, 0xB006, 0xB007)
        }
        assert refused == {}
        by_c_get = fetch_by_c_get(archive, [t for t in wave if t.study_instance_uid])
        for thing in wave:
            assert fetch_by_wado(archive, thing) == thing.data_set, thing.name
            if thing.study_instance_uid:
                assert by_c_get[thing.sop_instance_uid] == thing.data_set, thing.name
        assert archive.stop() == 0
        sent += len(wave)
    assert sent > 350


def test_files_come_back_as_they_went_in_by_stow(archive: Any, waves: list[list[Any]]) -> None:
    """STOW-RS of every file of the first wave whose meta information is complete, then WADO-RS."""
    client = archive.client()
    wave = [
        thing
        for thing in waves[0]
        if thing.has_meta and thing.path.read_bytes()[128:132] == b"DICM"
    ]
    taken = 0
    for start in range(0, len(wave), 40):
        some = wave[start : start + 40]
        body = b"".join(
            b"--next\r\nContent-Type: application/dicom\r\n\r\n" + thing.path.read_bytes() + b"\r\n"
            for thing in some
        )
        response = client.post(
            "studies",
            content=body + b"--next--\r\n",
            headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=next'},
        )
        assert response.status_code in (200, 202), response.text[:500]
        stored = {
            item["00081155"]["Value"][0]
            for item in response.json().get("00081199", {}).get("Value", [])
        }
        for thing in some:
            if thing.sop_instance_uid in stored:
                taken += 1
                assert fetch_by_wado(archive, thing) == thing.data_set, thing.name
            else:
                # The only reason: the meta information announces another instance or class (A900).
                meta = thing.path.read_bytes()[: -len(thing.data_set)]
                assert not (
                    thing.sop_instance_uid.encode() in meta and thing.sop_class_uid.encode() in meta
                ), thing.name
    assert taken > 200


def test_objects_that_name_no_study_are_refused(
    archive: Any, corpus: list[Any], stranger: Any
) -> None:
    """Codec samples without Study Instance UID: C005 of the conformance statement, and nothing is kept."""
    lacking = [thing for thing in corpus if thing.sop_instance_uid and not is_identified(thing)]
    assert lacking
    statuses = stranger.store(archive, lacking)
    assert {f"{status:04X}" for status in statuses.values()} == {"C005"}
    for thing in lacking:
        found = archive.client().get("instances", params={"SOPInstanceUID": thing.sop_instance_uid})
        assert found.status_code == 204 or found.json() == []
