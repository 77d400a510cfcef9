"""Admission messages over MLLP: each acknowledged before the next one of its connection is sent."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from negatoscope.bench.crew import Tally, run_crew
from negatoscope.bench.results import Latencies, Measurement
from negatoscope.bench.wire import WireError
from negatoscope.protocols.hl7v2 import FrameReader, Segment, framed, parse

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT_S = 30.0


def admission(number: int, run: str) -> bytes:
    """An ADT^A31 of IHE PAM France about one of a few thousand patients, about 600 bytes."""
    patient = number % 5000
    authority = ("BENCH", "750000001", "N")
    segments = [
        Segment.build(
            "MSH",
            {
                3: "BENCH",
                4: "BENCH",
                5: "RIS",
                6: "RIS",
                7: "20260102030405",
                9: ("ADT", "A31", "ADT_A05"),
                10: f"{run}-{number}",
                11: "P",
                12: ("2.5", "FRA", "2.11"),
                17: "FRA",
                18: "UNICODE UTF-8",
                21: ("2.11", "IHE_FRANCE-2.11-PAM"),
            },
        ),
        Segment.build("EVN", {2: "20260102030405", 6: "20260102030405"}),
        Segment.build(
            "PID",
            {
                3: [(f"B{patient:06d}", None, None, authority, "PI")],
                5: [
                    ("ESSAI", f"Été{patient}", f"Été{patient} Zoé", None, None, None, "L"),
                    ("ESSAI", f"Été{patient}", None, None, None, None, "D"),
                ],
                7: "19800101",
                8: "F" if patient % 2 else "M",
                11: [("1 rue des Essais", None, "NANCY", None, "54000", "FRA", "H")],
                32: "PROV",
            },
        ),
        Segment.build("PV1", {2: "N"}),
    ]
    return framed("".join(f"{one.written()}\r" for one in segments).encode())


def hl7(host: str, port: int, *, clients: int, operations: int) -> Measurement:
    """Send ``operations`` messages over ``clients`` connections.

    Raises:
        WireError: nobody listens, or somebody else.
    """
    run = f"{time.time_ns():x}"
    each = max(1, operations // clients)

    def client(number: int) -> Callable[[Tally], None]:
        prepared = [admission(number * each + one, run) for one in range(each)]
        connection = _connect(host, port)
        frames = FrameReader()

        def work(tally: Tally) -> None:
            with connection:
                for content in prepared:
                    begun = time.perf_counter()
                    connection.sendall(content)
                    answer = _answer(connection, frames)
                    taken = time.perf_counter() - begun
                    if parse(answer).get("MSA", 1) not in {"AA", "CA"}:
                        tally.failures += 1
                        continue
                    tally.durations_s.append(taken)
                    tally.byte_count += len(content)

        return work

    result = run_crew(clients, client)
    return Measurement(
        name="hl7",
        target=f"mllp://{host}:{port}",
        parameters={"clients": clients, "operations": each * clients},
        operations=len(result.durations_s),
        failures=result.failures,
        byte_count=result.byte_count,
        duration_s=result.duration_s,
        latencies=Latencies.of(result.durations_s),
        client_cpu_s=result.client_cpu_s,
    )


def _connect(host: str, port: int) -> socket.socket:
    try:
        connection = socket.create_connection((host, port), timeout=TIMEOUT_S)
    except OSError as error:
        raise WireError(f"cannot connect to {host}:{port}: {error}") from error
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _answer(connection: socket.socket, frames: FrameReader) -> bytes:
    while True:
        data = connection.recv(65536)
        if not data:
            raise WireError("the connection was closed")
        answers = frames.feed(data)
        if answers:
            return answers[0]
