"""What senders of orders are told of what came of them, read by another toolkit."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from zoneinfo import ZoneInfo

import hl7
import pytest
from hl7.client import MLLPClient

from negatoscope.domain.messages import Messages, Processor
from negatoscope.domain.orders import Orders
from negatoscope.entrypoints.hl7v2.handling import handle
from negatoscope.entrypoints.hl7v2.listener import Limits, Listener
from negatoscope.entrypoints.hl7v2.order_answers import OrderAnswers
from negatoscope.infra.db import Database

_NUMBERS = itertools.count(1)
_LIMITS = Limits(max_connections=20, max_message_bytes=1 << 20, idle_s=30, senders=("127.0.0.0/8",))
_OBR = "OBR|1|{placer}||ACQH003^Scanner thorax^CCAM||||||||||||||||||||CT"


@contextlib.asynccontextmanager
async def _listening(database: Database, patience_s: float) -> AsyncIterator[int]:
    answers = OrderAnswers(
        database, senders=["DPI"], patience_s=patience_s, zone=ZoneInfo("Europe/Paris")
    )
    listener = Listener(Messages(database), _LIMITS, on_stored=lambda: None, order_answers=answers)
    port = await listener.start("127.0.0.1", 0)
    try:
        yield port
    finally:
        await listener.stop()


class Department:
    """A listener and a processor, asked by a stranger's client."""

    def __init__(self, database: Database, patience_s: float = 10) -> None:
        self.database = database
        self._patience_s = patience_s
        self._loop = asyncio.new_event_loop()
        self._started, self._stop = threading.Event(), asyncio.Event()
        self._port = 0
        self._thread = threading.Thread(
            target=lambda: self._loop.run_until_complete(self._serve()), daemon=True
        )
        self._thread.start()
        assert self._started.wait(10)

    async def _serve(self) -> None:
        async with _listening(self.database, self._patience_s) as self._port:
            self._started.set()
            await self._stop.wait()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def ask(self, content: str) -> hl7.Message:
        """Send a message and read what comes back."""
        with MLLPClient("127.0.0.1", self._port) as client:
            answer = client.send_message(content.encode())
        return hl7.parse(answer.decode().strip("\x0b\x1c\r"))


def message(
    kind: str,
    control: str,
    *,
    placer: str = "P1^DPI",
    sender: str = "DPI",
    modes: str = "|",
    patient: str = "1",
    more: tuple[str, ...] = (),
) -> str:
    """An order, in the version that its kind has."""
    structure, version = {
        "ORM": ("ORM^O01", "2.3.1"),
        "OMG": ("OMG^O19^OMG_O19", "2.5.1"),
        "OMI": ("OMI^O23^OMI_O23", "2.5.1"),
    }[kind]
    lines = (
        f"MSH|^~\\&|{sender}|CHU|RIS|CHU|20260102||{structure}|{next(_NUMBERS)}|P|{version}|||{modes}|FRA|UNICODE UTF-8",
        f"PID|||{patient}^^^CHU-X&750&N^PI||DURAND^Zoé^^^^^L||19800101|F",
        "PV1||O",
        f"ORC|{control}|{placer}",
        _OBR.format(placer=placer),
        *more,
    )
    return "\r".join(lines) + "\r"


@pytest.fixture
def department(database: Database) -> Iterator[Department]:
    opened = Department(database)
    processor = Processor(database, handle)
    processor.start()
    yield opened
    opened.close()
    processor.stop()


@pytest.mark.parametrize(
    ("kind", "answer"), [("ORM", "ORR^O02"), ("OMG", "ORG^O20"), ("OMI", "ORI^O24")]
)
def test_an_order_is_answered_by_its_own_kind(
    department: Department, kind: str, answer: str
) -> None:
    """With the number that the sender gave, and ours."""
    sent = message(kind, "NW", more=("IPC|||||CT",) if kind == "OMI" else ())
    told = department.ask(sent)
    with department.database.connection() as connection:
        orders = Orders(connection)
        number = orders.find_by_placer("P1", "DPI")
        assert number is not None
        order = orders.get(number)
    assert str(told["MSH"][0][9]).startswith(answer)
    assert str(told["MSA"][0][1]) == "AA"
    assert str(told["MSA"][0][2]) == str(hl7.parse(sent)["MSH"][0][10])
    orc, obr = told["ORC"][0], told["OBR"][0]
    assert (str(orc[1]), str(orc[2]), str(orc[3])) == ("OK", "P1^DPI", order.filler_order_number)
    assert str(obr[18]) == order.accession_number
    assert str(obr[19]) == order.procedures[0].requested_procedure_id
    if kind == "OMI":
        (step,) = order.steps
        (ipc,) = told["IPC"]
        assert str(ipc[3]) == order.procedures[0].study_instance_uid
        assert str(ipc[4]) == step.scheduled_procedure_step_id


def test_each_request_has_its_word(department: Department) -> None:
    """HL7 table 0119: changed, held, released, cancelled; and what could not be done."""
    assert str(department.ask(message("OMG", "NW"))["ORC"][0][1]) == "OK"
    for control, word in (("XO", "XR"), ("HD", "HR"), ("RL", "OR"), ("CA", "CR")):
        told = department.ask(message("OMG", control))
        assert (str(told["MSA"][0][1]), str(told["ORC"][0][1])) == ("AA", word)
    told = department.ask(message("OMG", "XO"))
    assert (str(told["MSA"][0][1]), str(told["ORC"][0][1])) == ("AE", "UX")
    assert "called off" in str(told["ERR"][0][8])
    told = department.ask(message("OMG", "CA", placer="NEVER-SEEN"))
    assert (str(told["ORC"][0][1]), str(told["ORC"][0][2])) == ("UC", "NEVER-SEEN")
    assert str(told["ERR"][0][2]) == "ORC^1^2"
    told = department.ask(message("OMG", "??"))
    assert (str(told["MSA"][0][1]), str(told["ORC"][0][1])) == ("AE", "UA")


def test_the_mode_of_the_sender_decides(department: Department) -> None:
    """Others get an ACK when kept; MSH-16 asks for more, on success, on error, or never."""
    told = department.ask(message("ORM", "NW", sender="OTHER", placer="P2"))
    assert str(told["MSH"][0][9]) == "ACK^O01^ACK"
    told = department.ask(message("OMG", "NW", sender="OTHER", placer="P3", modes="NE|AL"))
    assert str(told["MSH"][0][9]) == "ORG^O20^ORG_O20"
    told = department.ask(message("OMG", "NW", sender="DPI", placer="P4", modes="AL|NE"))
    assert (str(told["MSH"][0][9]), str(told["MSA"][0][1])) == ("ACK^O19^ACK", "CA")
    told = department.ask(message("OMG", "CA", sender="OTHER", placer="P9", modes="NE|ER"))
    assert (str(told["MSA"][0][1]), str(told["ORC"][0][1])) == ("AE", "UC")
    # The accept acknowledgement is there at once, the application's only on an error: one answer.
    told = department.ask(message("OMG", "NW", sender="OTHER", placer="P5", modes="AL|ER"))
    assert str(told["MSA"][0][1]) == "CA"


def test_what_is_not_carried_out_in_time_is_said_and_answered_later(database: Database) -> None:
    """Nothing is claimed before; the same message again gets the outcome."""
    department = Department(database, patience_s=0.3)
    try:
        sent = message("OMG", "NW")
        told = department.ask(sent)
        assert (str(told["MSA"][0][1]), str(told["ERR"][0][3])[:3]) == ("AE", "206")
        assert [str(one[0]) for one in told] == ["MSH", "MSA", "ERR"]
        Processor(database, handle).process_waiting()
        told = department.ask(sent)
        assert (str(told["MSA"][0][1]), str(told["ORC"][0][1])) == ("AA", "OK")
        with database.connection() as connection:
            row = connection.execute("SELECT count(*) FROM imaging_service_request").fetchone()
            assert row == (1,)
    finally:
        department.close()
