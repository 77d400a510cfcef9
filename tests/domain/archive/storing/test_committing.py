"""Objects that share a flush and a transaction: each has its own result, and what is not kept is in nobody's way."""

import hashlib
import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from negatoscope.domain.archive import IngestError, OutcomeKind, Source, SourceKind
from negatoscope.domain.archive.committing import GROUP_OBJECTS
from negatoscope.domain.archive.reindex import reindex
from negatoscope.infra.storage.errors import WriteFailed
from negatoscope.infra.storage.posix.segment import SegmentFile

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
Make = Callable[..., Any]


@pytest.fixture
def together(node: Any, as_bytes: Make) -> Callable[..., list[Any]]:
    """Store data sets as one group. Returns: the outcome or the error of each."""

    def store(*data_sets: Any) -> list[Any]:
        results = []
        with node.archive.open_session(Source(kind=SourceKind.STOW, peer="127.0.0.1")) as session:
            staged = []
            for data_set in data_sets:
                ingest = session.begin(
                    sop_class_uid=CT,
                    sop_instance_uid=str(data_set.SOPInstanceUID),
                    transfer_syntax_uid=EXPLICIT,
                )
                ingest.write(as_bytes(data_set))
                staged.append(ingest.stage())
            session.flush()
            for one in staged:
                try:
                    results.append(one.outcome())
                except IngestError as error:
                    results.append(error)
        return results

    return store


def kinds(results: list[Any]) -> list[Any]:
    """What became of each."""
    return [getattr(result, "kind", type(result).__name__) for result in results]


def _readable(node: Any, results: list[Any]) -> None:
    for result in results:
        assert hashlib.sha256(node.read(result.sop_instance_uid)).digest() == result.sha256


def test_parts_of_a_new_study_share_one_flush(
    node: Any, make_ct: Make, together: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten images, one ``fdatasync``."""
    node.store(make_ct())  # the segment is there
    flushed = []
    sync = SegmentFile.sync
    monkeypatch.setattr(SegmentFile, "sync", lambda file: (flushed.append(file), sync(file))[1])
    results = together(*(make_ct(InstanceNumber=number) for number in range(10)))
    assert kinds(results) == [OutcomeKind.STORED] * 10
    assert len(flushed) == 1
    _readable(node, results)
    assert node.rows("SELECT instance_count FROM study") == [(11,)]


def test_what_is_there_already_is_voided_between_kept_ones(
    node: Any, make_ct: Make, together: Any
) -> None:
    """The TAR file stays one, the bytes count as dead, and the index made again from it is the same."""
    old = make_ct(InstanceNumber=1)
    node.store(old)
    results = together(
        make_ct(InstanceNumber=2), old, make_ct(InstanceNumber=3), make_ct(InstanceNumber=4), old
    )
    stored, duplicate = OutcomeKind.STORED, OutcomeKind.DUPLICATE
    assert kinds(results) == [stored, duplicate, stored, stored, duplicate]
    _readable(node, results)
    node.archive.close()
    ((name, dead, members),) = node.rows("SELECT name, dead_bytes, member_count FROM segment")
    with tarfile.open(node.volume.segment_path(name)) as opened:
        names = [member.name for member in opened.getmembers()]
        manifest = opened.extractfile("MANIFEST.tsv").read().decode().splitlines()
    assert [n.rpartition(".")[2] for n in names] == [
        "txt",
        "dcm",
        "dcm",
        "void",
        "dcm",
        "dcm",
        "tsv",
    ]
    assert [line.rpartition("\t")[2] for line in manifest] == names[1:-1]
    assert members == 5
    assert dead > 0

    before = node.rows("SELECT sop_instance_uid, segment_offset FROM instance ORDER BY 1")
    again = node.open()
    reindex(again)
    again.close()
    assert node.rows("SELECT sop_instance_uid, segment_offset FROM instance ORDER BY 1") == before


def test_the_same_object_twice_in_a_group(node: Any, make_ct: Make, together: Any) -> None:
    """The second is recognised by the first, which is indexed by the same statement."""
    same = make_ct(InstanceNumber=2)
    results = together(make_ct(InstanceNumber=1), same, same, make_ct(InstanceNumber=3))
    assert kinds(results)[:2] == [OutcomeKind.STORED, OutcomeKind.STORED]
    assert kinds(results)[2:] == [OutcomeKind.DUPLICATE, OutcomeKind.STORED]
    _readable(node, results)


def test_a_part_that_breaks_off_leaves_those_staged_before(
    node: Any, make_ct: Make, as_bytes: Make
) -> None:
    """The session ends with one object whole and one half: the whole one is stored."""
    whole, half = make_ct(), make_ct()
    with node.archive.open_session(Source(kind=SourceKind.STOW, peer="127.0.0.1")) as session:
        for data_set in (whole, half):
            ingest = session.begin(
                sop_class_uid=CT,
                sop_instance_uid=str(data_set.SOPInstanceUID),
                transfer_syntax_uid=EXPLICIT,
            )
            ingest.write(as_bytes(data_set)[: None if data_set is whole else -20])
            if data_set is whole:
                ingest.stage()
    assert node.rows("SELECT sop_instance_uid FROM instance") == [(str(whole.SOPInstanceUID),)]


def test_a_flush_that_fails_takes_all_of_the_group_back(
    node: Any, make_ct: Make, together: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told that it is stored, no row stays, and the next objects go elsewhere."""
    before = node.store(make_ct())

    def fail(file: SegmentFile) -> None:
        file.broken = True
        raise WriteFailed("flushing a segment: Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(SegmentFile, "sync", fail)
        results = together(make_ct(), make_ct(), make_ct())
    assert kinds(results) == ["OutOfResources"] * 3
    assert node.rows("SELECT sop_instance_uid FROM instance") == [(before.sop_instance_uid,)]
    assert node.rows("SELECT instance_count FROM study") == [(1,)]
    assert kinds(together(make_ct())) == [OutcomeKind.STORED]


@pytest.mark.parametrize("torn", [0, 1, 5])
def test_a_power_cut_before_the_flush_leaves_a_torn_member_between_whole_ones(
    node: Any, make_ct: Make, together: Any, torn: int
) -> None:
    """The kernel may have written any of the group: what is whole is kept, the rest voided."""
    results = together(*(make_ct(InstanceNumber=number) for number in range(6)))
    uid = results[torn].sop_instance_uid
    ((name, offset, size),) = node.rows(
        "SELECT g.name, segment_offset, i.size FROM instance i JOIN segment g ON g.id = segment_fk "
        "WHERE sop_instance_uid = %s",
        uid,
    )
    for segment in node.archive.pool.held():
        segment.file.close()
    node.archive.pool._idle.clear()
    node.archive.writer.close()
    path = node.volume.segment_path(name)
    with path.open("r+b") as segment:
        segment.seek(offset + size - 64)
        segment.write(bytes(64))
    node.open().close()

    left = [result for result in results if result.sop_instance_uid != uid]
    assert {uid for (uid,) in node.rows("SELECT sop_instance_uid FROM instance")} == {
        result.sop_instance_uid for result in left
    }
    _readable(node, left)
    with tarfile.open(path) as opened:
        names = [member.name for member in opened.getmembers()]
    assert sum(n.endswith(".void") for n in names) == (torn != 5)
    again = node.open()
    reindex(again)
    again.close()
    assert node.rows("SELECT count(*) FROM instance") == [(5,)]


def test_a_group_has_a_bound(node: Any, make_ct: Make, as_bytes: Make) -> None:
    """Recovery looks at no more members than that."""
    with node.archive.open_session(Source(kind=SourceKind.STOW, peer="127.0.0.1")) as session:
        for number in range(GROUP_OBJECTS):
            assert not session.is_group_full
            data_set = make_ct(InstanceNumber=number)
            ingest = session.begin(
                sop_class_uid=CT,
                sop_instance_uid=str(data_set.SOPInstanceUID),
                transfer_syntax_uid=EXPLICIT,
            )
            ingest.write(as_bytes(data_set))
            ingest.stage()
        assert session.is_group_full
