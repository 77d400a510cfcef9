"""SIGKILL before each system call of one store, one settling, one decision: afterwards nothing is half (fault 2).

The thing is done once untouched, its system calls counted; then again and again, killed before the first, the
second, … ``NEGATOSCOPE_CRASH_POINTS`` says how many of them are taken, spread over all; 0 takes every one
(``make crash-points``).
"""

import hashlib
import os
from collections.abc import Callable
from typing import Any

import pytest

from negatoscope.domain.archive.commitment import Commitment
from negatoscope.domain.archive.lifecycle import Lifecycle
from negatoscope.domain.archive.reindex import reindex
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.versions import Versions

POINTS = int(os.environ.get("NEGATOSCOPE_CRASH_POINTS", "8"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(280 if POINTS else 3600)]

WRITING = (
    "openat,mkdir,flock,fchmod,chmod,unlink,unlinkat,ftruncate,fdatasync,fsync,pwrite64,pwritev,"
    "pwritev2,sendto"
)
ASKING = "sendto,recvfrom,fdatasync,ftruncate,pwrite64,pwritev,pwritev2"

Make = Callable[..., tuple[str, bytes]]
Choose = Callable[[list[str], int], list[tuple[str, int]]]
Prepare = Callable[[], tuple[dict[str, Any], Callable[[Any], None]]]


def sweep(scene: Any, victim: Any, choose: Choose, calls: str, prepare: Prepare) -> None:
    """Do a thing whole, then killed at each chosen point; look at the archive after each.

    Args:
        prepare: Makes an order, and what must be true of its run once the archive was opened again and closed.
    """
    order, check = prepare()
    whole = victim.run(order, at=None, calls=calls)
    scene.open().close()
    scene.check()
    check(whole)
    assert len(whole.calls) >= 3
    killed = 0
    for point in choose(whole.calls, POINTS):
        order, check = prepare()
        run = victim.run(order, at=point)
        killed += run.killed
        try:
            scene.open().close()
            scene.check()
            check(run)
        except AssertionError as error:
            error.add_note(f"killed before {point[0]} number {point[1]} of {whole.calls}")
            raise
    assert killed >= 2


@pytest.mark.parametrize("prepared", [0, 2])
def test_a_store(
    scene: Any, victim: Any, make_ct: Make, choose_points: Choose, prepared: int
) -> None:
    """With a new or a prepared segment and its sealing: acknowledged is readable, anything else is whole or absent."""

    def prepare() -> tuple[dict[str, Any], Callable[[Any], None]]:
        uid, data = make_ct()

        def check(run: Any) -> None:
            digest = hashlib.sha256(data).digest()
            assert scene.digest(uid) in ((digest,) if run.acknowledged else (digest, None))
            archive = scene.open()
            assert scene.store(archive, uid, data) in ("STORED", "DUPLICATE")
            archive.close()
            assert scene.digest(uid) == digest

        return scene.order("store", uid=uid, file=scene.write(data), prepared=prepared), check

    sweep(scene, victim, choose_points, WRITING, prepare)


@pytest.mark.parametrize("prepared", [0, 2])
def test_a_group(
    scene: Any, victim: Any, make_ct: Make, choose_points: Choose, prepared: int
) -> None:
    """Parts that share a flush, two of them there already: whole or absent each, all there once acknowledged."""

    def prepare() -> tuple[dict[str, Any], Callable[[Any], None]]:
        study = f"{make_ct()[0]}.9"
        objects = [
            make_ct(StudyInstanceUID=study, PatientID=study, InstanceNumber=number)
            for number in range(6)
        ]
        archive = scene.open()
        there = (objects[1], objects[5])
        for uid, data in there:
            assert scene.store(archive, uid, data) == "STORED"
        archive.close()

        def check(run: Any) -> None:
            told = {heard["acknowledged"] for heard in run.acknowledged}
            if told:
                assert {heard["kind"] for heard in run.acknowledged} <= {"STORED", "DUPLICATE"}
            for uid, data in objects:
                digest = hashlib.sha256(data).digest()
                must_be = bool(told) or (uid, data) in there
                assert scene.digest(uid) in ((digest,) if must_be else (digest, None))
            again = scene.open()
            for uid, data in objects:
                assert scene.store(again, uid, data) in ("STORED", "DUPLICATE")
            again.close()
            scene.check()

        named = [(uid, scene.write(data)) for uid, data in objects]
        return scene.order("group", objects=named, prepared=prepared), check

    sweep(scene, victim, choose_points, WRITING, prepare)
    with_voids = [path for path in scene.files() if b".void" in path.read_bytes()]
    assert with_voids, "no refused member had kept ones behind it"
    archive = scene.open()
    try:
        reindex(archive)
    finally:
        archive.close()
    assert scene.rows("SELECT 1 FROM instance") != []


@pytest.mark.parametrize("second", ["new", "same", "other content"])
def test_the_index_transaction(
    scene: Any, victim: Any, make_ct: Make, choose_points: Choose, second: str
) -> None:
    """With connection and segment at hand: killed before it asks, before it hears the answer."""

    def prepare() -> tuple[dict[str, Any], Callable[[Any], None]]:
        first_uid, first = make_ct()
        study = f"{first_uid}.7"
        first_uid, first = make_ct(StudyInstanceUID=study, PatientID="P")
        changes = {} if second == "new" else {"SOPInstanceUID": first_uid}
        uid, data = make_ct(StudyInstanceUID=study, PatientID="P", InstanceNumber=2, **changes)
        if second == "same":
            data = first

        def check(run: Any) -> None:
            assert scene.digest(first_uid) == hashlib.sha256(first).digest()
            digest = hashlib.sha256(data).digest()
            told = len(run.acknowledged) == 2
            if second == "new":
                assert scene.digest(uid) in ((digest,) if told else (digest, None))
            elif second == "other content":
                aside = scene.rows("SELECT 1 FROM set_aside WHERE sha256 = %s", digest)
                assert aside or not told

        return (
            scene.order(
                "index", first_uid=first_uid, first_file=scene.write(first), uid=uid,
                file=scene.write(data),
            ),
            check,
        )  # fmt: skip

    sweep(scene, victim, choose_points, ASKING, prepare)


def scattered_study(
    scene: Any, make_ct: Make, images: int = 6
) -> tuple[int, str, dict[str, bytes]]:
    """Images that came in turns with another study's. Returns: row, time of change, objects by UID."""
    archive = scene.open()
    study, other = (f"{make_ct()[0]}.{n}" for n in (1, 2))
    objects = {}
    for number in range(images):
        uid, data = make_ct(StudyInstanceUID=study, PatientID=study, InstanceNumber=number)
        objects[uid] = data
        assert scene.store(archive, uid, data) == "STORED"
        scene.store(archive, *make_ct(StudyInstanceUID=other, PatientID=other))
    archive.close()
    ((row, changed_at),) = scene.rows(
        "SELECT study_fk, changed_at FROM unsettled_study u JOIN study s ON s.id = u.study_fk "
        "WHERE study_instance_uid = %s",
        study,
    )
    return row, changed_at.isoformat(), objects


def test_a_settling(scene: Any, victim: Any, make_ct: Make, choose_points: Choose) -> None:
    """Members lie in the old place or in the new one, all readable; a second settling ends it."""

    def prepare() -> tuple[dict[str, Any], Callable[[Any], None]]:
        row, changed_at, objects = scattered_study(scene, make_ct)

        def check(run: Any) -> None:
            for uid, data in objects.items():
                assert scene.digest(uid) == hashlib.sha256(data).digest()
            if run.killed:
                archive = scene.open()
                for study, changed in scene.rows(
                    "SELECT study_fk, changed_at FROM unsettled_study"
                ):
                    if study == row:
                        Lifecycle(archive).settle(
                            study, changed, write_series_metadata=lambda _series: None
                        )
                archive.close()
                scene.check()
            assert scene.rows("SELECT 1 FROM unsettled_study WHERE study_fk = %s", row) == []
            places = scene.rows(
                "SELECT DISTINCT segment_fk FROM instance i JOIN series e ON e.id = i.series_fk WHERE study_fk = %s",
                row,
            )
            assert len(places) == 1

        return scene.order("settle", study=row, changed_at=changed_at), check

    sweep(scene, victim, choose_points, WRITING, prepare)


def test_a_compaction(scene: Any, victim: Any, make_ct: Make, choose_points: Choose) -> None:
    """Half dead segments: what lives stays readable, wherever it was on its way; a second pass ends it."""

    def prepare() -> tuple[dict[str, Any], Callable[[Any], None]]:
        row, changed_at, objects = scattered_study(scene, make_ct)
        archive = scene.open()
        ((_, changed),) = scene.rows(
            "SELECT study_fk, changed_at FROM unsettled_study WHERE study_fk = %s", row
        )
        assert changed.isoformat() == changed_at
        Lifecycle(archive).settle(row, changed, write_series_metadata=lambda _series: None)
        archive.close()
        with scene.database.connection() as connection:
            connection.execute(
                "UPDATE segment SET dead_bytes = length WHERE dead_bytes > 0 AND state = 'SEALED'"
            )

        def check(run: Any) -> None:
            for uid, data in objects.items():
                assert scene.digest(uid) == hashlib.sha256(data).digest()
            if run.killed:
                archive = scene.open()
                Lifecycle(archive).compact()
                archive.close()
                scene.check()
            assert (
                scene.rows("SELECT 1 FROM segment WHERE state = 'SEALED' AND dead_bytes >= length")
                == []
            )

        return scene.order("compact"), check

    sweep(scene, victim, choose_points, WRITING, prepare)


@pytest.mark.parametrize("decision", ["accept", "dismiss"])
def test_a_decision_about_versions(
    scene: Any, victim: Any, make_ct: Make, choose_points: Choose, decision: str
) -> None:
    """The first version or the second is current, the other aside; the index rebuilt from the segments agrees."""
    expected: dict[str, set[bytes]] = {}

    def prepare() -> tuple[dict[str, Any], Callable[[Any], None]]:
        uid, first = make_ct()
        study = f"{uid}.1"
        uid, first = make_ct(StudyInstanceUID=study, PatientID="P")
        _, second = make_ct(StudyInstanceUID=study, PatientID="P", SOPInstanceUID=uid)
        archive = scene.open()
        assert scene.store(archive, uid, first) == "STORED"
        assert scene.store(archive, uid, second) == "CONFLICT"
        archive.close()
        ((key,),) = scene.rows("SELECT id FROM set_aside WHERE sop_instance_uid = %s", uid)

        def check(run: Any) -> None:
            both = {hashlib.sha256(first).digest(), hashlib.sha256(second).digest()}
            aside = scene.rows(
                "SELECT sha256, state FROM set_aside WHERE sop_instance_uid = %s", uid
            )
            current = scene.digest(uid)
            assert {current, *(bytes(row[0]) for row in aside)} == both
            assert len(aside) == 1
            if run.acknowledged:
                winner = second if decision == "accept" else first
                assert current == hashlib.sha256(winner).digest()
                assert aside[0][1] == "DISMISSED"
            elif aside[0][1] == "PENDING":
                # Whoever asks again may decide the other way: the last decision counts.
                archive = scene.open()
                versions = Versions(archive)
                (versions.dismiss if decision == "accept" else versions.accept)(key, by="test")
                archive.close()
                current = scene.digest(uid)
            assert current is not None
            expected[uid] = {current}

        return scene.order(decision, set_aside=key), check

    sweep(scene, victim, choose_points, WRITING, prepare)
    archive = scene.open()
    archive.close()
    rebuilding = scene.open()
    try:
        reindex(rebuilding)
    finally:
        rebuilding.close()
    for uid, digests in expected.items():
        assert scene.digest(uid) in digests, f"{uid}: the rebuilt index prefers the other version"


def test_a_commitment(scene: Any, victim: Any, make_ct: Make, choose_points: Choose) -> None:
    """A request that was acknowledged is answered in the end, once, for every object of it."""
    archive = scene.open()
    objects = dict(make_ct() for _ in range(3))
    for uid, data in objects.items():
        assert scene.store(archive, uid, data) == "STORED"
    archive.close()
    numbers = iter(range(1, 10_000))

    def prepare() -> tuple[dict[str, Any], Callable[[Any], None]]:
        transaction = f"2.25.99{next(numbers)}"

        def check(run: Any) -> None:
            found = scene.rows(
                "SELECT id, answered_at IS NOT NULL, delivered_at IS NOT NULL FROM storage_commitment WHERE transaction_uid = %s",
                transaction,
            )
            if not found:
                assert not run.acknowledged
                return
            ((key, answered, delivered),) = found
            items = scene.rows(
                "SELECT outcome FROM storage_commitment_item WHERE commitment_fk = %s", key
            )
            assert len(items) == len(objects)
            assert {row[0] for row in items} == ({"COMMITTED"} if answered else {None})
            assert answered or not delivered
            retrieval = Retrieval(scene.database, [scene.volume])
            commitment = Commitment(retrieval)
            commitment.let_go(key)
            assert commitment.claim_due() == (None if delivered else key)
            answer = commitment.answer(key)
            assert answer is not None
            assert {r.sop_instance_uid for r in answer.committed} == set(objects)
            commitment.note_delivered(key)
            retrieval.close()

        return scene.order("commit", transaction_uid=transaction, uids=list(objects)), check

    sweep(scene, victim, choose_points, "sendto,recvfrom", prepare)
