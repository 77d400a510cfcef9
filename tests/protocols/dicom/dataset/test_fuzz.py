"""Mutated real objects: typed errors or answers, never another exception, never much time."""

import contextlib
import os
import random
import time

import orjson

import hostile
from negatoscope.protocols.dicom.dataset import DataSetError, DataSetScanner, decode, read_value
from negatoscope.standard import tags

#: `FUZZ_SECONDS=3600 FUZZ_SEED=7` for a long run with another seed.
SECONDS = float(os.environ.get("FUZZ_SECONDS", "6"))
SEED = int(os.environ.get("FUZZ_SEED", "20261124"))
SLOWEST_S = 2.0


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Bits flipped, lengths made lies, pieces cut, doubled, or replaced by noise."""
    raw = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        if len(raw) < 16:
            break
        # Headers are where parsers stumble: most of the damage goes there.
        at = chance.randrange(min(len(raw) - 8, chance.choice((200, 2000, 1 << 30))))
        kind = chance.randrange(8)
        if kind == 0:
            raw[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            raw[at : at + 4] = chance.choice((b"\xff" * 4, b"\xfe\xff\xff\xff", bytes(4)))
        elif kind == 2:
            raw[at : at + 4] = chance.choice(
                (b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0")
            )
        elif kind == 3:
            del raw[at : at + chance.randrange(1, 64)]
        elif kind == 4:
            raw[at:at] = raw[at : at + chance.randrange(1, 256)]
        elif kind == 5:
            raw[at : at + 8] = chance.randbytes(8)
        elif kind == 6:
            del raw[at:]
        else:
            raw[at : at + 2] = chance.choice((b"SQ", b"UN", b"OB", b"ZZ", b"\x00\x00"))
    return bytes(raw)


def test_mutated_objects_give_answers_or_typed_errors(corpus):
    """Scan at two fragmentations, decode, look up; what the scan takes, decoding reads."""
    chance = random.Random(SEED)
    objects = [row for row in corpus if len(row.data_set) < 60_000]
    deadline = time.monotonic() + SECONDS
    tried = read = 0
    while time.monotonic() < deadline:
        name, syntax, data = chance.choice(objects)
        if chance.random() < 0.1:
            syntax = chance.choice((hostile.EXPLICIT_LE, hostile.IMPLICIT_LE, hostile.EXPLICIT_BE))
        raw = mutated(data, chance)
        started = time.process_time()
        outcomes = []
        for size in (len(raw) or 1, chance.choice((1, 5, 100, 1000))):
            scanner = DataSetScanner(syntax)
            view = memoryview(raw)
            try:
                while view:
                    scanner.feed(view[:size])
                    view = view[size:]
                result = scanner.finish()
            except DataSetError as error:
                outcomes.append(type(error))
                continue
            outcomes.append(None)
            result.frame_locations()
            for tag in (tags.PATIENT_NAME, tags.STUDY_DATE, tags.INSTANCE_NUMBER):
                result.text(tag)
                result.int(tag)
            read += 1
        assert (outcomes[0] is None) == (outcomes[1] is None)
        try:
            orjson.dumps(decode(raw, syntax, stop_before_pixels=False, bulk_uri=str))
        except DataSetError as error:
            # What is taken in must have metadata.
            assert outcomes[0] is not None, (name, error)
        with contextlib.suppress(DataSetError):
            orjson.dumps(decode(raw, syntax, bulk_uri=str))
        with contextlib.suppress(DataSetError):
            read_value(raw, syntax, chance.choice(("7FE00010", "00081140/1/00081155")))
        assert time.process_time() - started < SLOWEST_S
        tried += 1
    assert tried > 100
    assert read > 20
