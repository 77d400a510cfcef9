"""The load drivers against servers of our own libraries: counts are true, failures are counted."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from bench.servers import free_port

from negatoscope.bench.crew import Tally, run_crew
from negatoscope.bench.http import HttpConnection, HttpError
from negatoscope.bench.ingest import ingest
from negatoscope.bench.large import store_large
from negatoscope.bench.results import Latencies, Measurement, write_results
from negatoscope.bench.retrieve import Sink
from negatoscope.bench.targets import DicomTarget, WebTarget
from negatoscope.bench.web import frames, renditions
from negatoscope.bench.wire import WireError


@pytest.fixture
def sink() -> Iterator[tuple[Sink, DicomTarget]]:
    """A storage SCP that counts."""
    port = free_port()
    with Sink("127.0.0.1", port) as server:
        yield server, DicomTarget(host="127.0.0.1", port=port, called_ae_title="SINK")


class Handler(BaseHTTPRequestHandler):
    """Answers frames with a length, "/open" without one, everything else in chunks."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, bytes]]] = []

    def do_GET(self) -> None:
        """A frame, or chunks."""
        if "frames" in self.path:
            self.send_response(200)
            self.send_header("Content-Length", "300000")
            self.end_headers()
            self.wfile.write(bytes(300_000))
        elif "open" in self.path:
            self.close_connection = True
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"c" * 300_001)
        else:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in (b"a" * 5, b"b" * 70_000):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.write(b"0\r\n\r\n")

    def do_POST(self) -> None:
        """Takes a STOW-RS request; every fifth is refused."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.headers["Content-Type"], body))
        self.send_response(409 if len(self.seen) % 5 == 0 else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def web() -> Iterator[WebTarget]:
    """An HTTP server of the standard library."""
    Handler.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield WebTarget(host="127.0.0.1", port=server.server_address[1], base="/dicom-web")
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("shape", "clients"), [("1k", 1), ("10k", 4), ("512k", 3)])
def test_every_object_sent_arrives(
    sink: tuple[Sink, DicomTarget], shape: str, clients: int
) -> None:
    """Objects answered with success are those the peer got, whole."""
    server, target = sink
    measured = ingest(target, shape=shape, objects=25, clients=clients)
    assert (measured.operations, measured.failures) == (25, 0)
    assert server.take() == (25, measured.byte_count)
    assert measured.per_second > 0


def test_stow_counts_what_was_answered_with_success(web: WebTarget) -> None:
    """Refused requests are failures."""
    measured = ingest(web, shape="1k", objects=10, clients=1)
    assert (measured.operations, measured.failures) == (8, 2)
    content_type, body = Handler.seen[0]
    boundary = content_type.partition("boundary=")[2].encode()
    assert body.startswith(b"--" + boundary + b"\r\n")
    assert body.endswith(b"\r\n--" + boundary + b"--\r\n")
    assert len({body for _, body in Handler.seen}) == 10


def test_a_large_object_is_generated_while_it_is_sent(sink: tuple[Sink, DicomTarget]) -> None:
    """32 MB through PDUs of a quarter of one."""
    server, target = sink
    stored = store_large(target, 32 << 20)
    assert server.take() == (1, stored.byte_count)
    assert stored.byte_count > 31 << 20


def test_a_peer_that_does_not_listen_is_an_error() -> None:
    """Not a measurement of nothing."""
    target = DicomTarget(host="127.0.0.1", port=free_port(), called_ae_title="NOBODY")
    with pytest.raises(WireError, match="cannot connect"):
        ingest(target, shape="1k", objects=1, clients=2)


def test_bodies_with_a_length_and_in_chunks(web: WebTarget) -> None:
    """One after the other, whole; a body that ends with its connection is followed by a new one."""
    with HttpConnection(web) as connection:
        for _ in range(3):
            chunked = connection.get("/metadata", accept="*/*", keep=True)
            assert chunked.body == b"a" * 5 + b"b" * 70_000
            framed = connection.get("/frames/1", accept="*/*", keep=True)
            assert framed.body == bytes(300_000)
            ended = connection.get("/open", accept="*/*", keep=True)
            assert ended.body == b"c" * 300_001


def test_frames_are_fetched_for_the_time_given(web: WebTarget) -> None:
    """Several connections."""
    measured = frames(web, paths=["/a/frames/1", "/b/frames/1"], clients=2, seconds=0.2)
    assert measured.failures == 0
    assert measured.byte_count == measured.operations * 300_000
    assert 0.15 < measured.duration_s < 5


def test_a_server_that_hangs_up_is_an_error(web: WebTarget) -> None:
    """In the middle of an answer too."""
    connection = HttpConnection(web)
    connection.close()
    with pytest.raises(HttpError):
        connection.get("/x", accept="*/*")


def test_a_crew_starts_together_and_keeps_what_it_did() -> None:
    """One client that breaks is a failure, not the end of the others."""

    def prepare(number: int):
        def work(tally: Tally) -> None:
            tally.durations_s.append(0.5)
            if number == 1:
                raise RuntimeError

        return work

    result = run_crew(3, prepare)
    assert len(result.durations_s) == 3
    assert result.failures == 1


def test_percentiles() -> None:
    """In milliseconds, of durations in seconds."""
    latencies = Latencies.of([number / 1000 for number in range(1, 101)])
    assert (latencies.p50_ms, latencies.p95_ms, latencies.p99_ms) == (51.0, 96.0, 100.0)
    assert Latencies.of([]).max_ms == 0.0


def test_results_are_written_as_json(tmp_path: Path) -> None:
    """Everything that is needed to compare."""
    measured = Measurement(
        name="ingest",
        target="X",
        parameters={"clients": 1},
        operations=10,
        failures=0,
        byte_count=5_000_000,
        duration_s=2.0,
        latencies=Latencies.of([0.1]),
        client_cpu_s=0.1,
    )
    path = write_results(tmp_path, "x", [measured])
    (read,) = json.loads(path.read_text())["measurements"]
    assert (read["per_second"], read["megabytes_per_second"]) == (5.0, 2.5)
    assert "5/s" in measured.line()


@pytest.mark.parametrize("kind", ["htj2k", "jpeg"])
def test_every_frame_is_rendered_once(web: WebTarget, kind: str) -> None:
    """Divided among the clients, none twice."""
    paths = [f"/studies/1/series/2/instances/{n}/frames/1" for n in range(7)]
    measured = renditions(web, paths=paths, kind=kind, clients=3)
    assert (measured.operations, measured.failures) == (7, 0)
    assert measured.byte_count == 7 * 300_000
    assert measured.parameters == {"clients": 3, "frames": 7}
