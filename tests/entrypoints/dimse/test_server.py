"""The DICOM listener: who gets in, with what, and how requests find their service."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from negatoscope.domain.devices.ae import ApplicationEntity
from negatoscope.domain.identity.policies import Action
from negatoscope.entrypoints.dimse.policy import ServiceTable
from negatoscope.entrypoints.dimse.server import build_server
from negatoscope.entrypoints.dimse.service import Caller, Service, caller_of
from negatoscope.entrypoints.dimse.verification_scp import VERIFICATION_SERVICE
from negatoscope.infra.settings import HostPort, LimitsSettings, Settings
from negatoscope.protocols.dicom.dimse import command as c
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.acceptor import AssociationServer, Peer, listen
from negatoscope.protocols.dicom.dimse.association import Association, Message, Timeouts
from negatoscope.protocols.dicom.dimse.command import CommandField, CommandSet
from negatoscope.protocols.dicom.dimse.errors import (
    AssociationAborted,
    AssociationError,
    AssociationRejected,
)
from negatoscope.protocols.dicom.dimse.gate import Listener
from negatoscope.protocols.dicom.dimse.requestor import ProposedContext, connect
from negatoscope.protocols.dicom.ul.pdu import AssociateRequest
from negatoscope.standard.sop_classes import (
    MODALITY_WORKLIST_FIND,
    PRINTER,
    STORAGE_SOP_CLASSES,
    STUDY_ROOT_FIND,
    VERIFICATION,
)
from negatoscope.standard.transfer_syntaxes import TRANSFER_SYNTAXES

CT = "1.2.840.10008.5.1.4.1.1.2"
PRIVATE = "1.3.46.670589.11.0.0.12.1"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
JPEG = "1.2.840.10008.1.2.4.50"
FAST = Timeouts(connect_s=3, artim_s=3, dimse_s=3, linger_s=0.5)

REGISTRY = {
    title: ApplicationEntity(
        ae_title=title,
        host=host,
        port=104,
        roles=frozenset(roles.split()),
        tls=False,
        description="",
    )
    for title, host, roles in [
        ("SCANNER", "127.0.0.1", "store"),
        ("STATION", "localhost", "query retrieve"),
        ("ALL", "127.0.0.1", "store query retrieve"),
        ("ELSEWHERE", "192.0.2.1", "store"),
        ("NOTHING", "127.0.0.1", ""),
    ]
}
REGISTRY |= {
    title: replace(REGISTRY["ALL"], ae_title=title, **more)
    for title, more in {
        "DISABLED": {"is_enabled": False},
        "TLS_ONLY": {"tls_required": True},
        "PROVEN": {"certificates": ("subject:commonName=PROVEN",)},
        "AT_HOME": {"host": "192.0.2.1", "check_host": True},
        "ONE": {"max_associations": 1},
    }.items()
}


class Seen:
    """What the services and the listener's hooks were given."""

    def __init__(self) -> None:
        self.callers: list[Caller] = []
        self.refusals: list[str] = []
        self.ended = threading.Event()
        self.stored: list[bytes] = []

    def store(self, association: Association, message: Message) -> None:
        self.callers.append(caller_of(association))
        uid = message.command.affected_sop_instance_uid
        if uid == "1.1":
            raise LookupError("a bug before anything was read")
        if uid == "1.2":
            next(iter(association.data_set_chunks()))
            raise LookupError("a bug in the middle")
        if uid == "1.3":
            association.read_data_set(10)
        self.stored.append(b"".join(bytes(chunk) for chunk in association.data_set_chunks()))
        association.send_message(message.context.id, c.c_store_rsp(message.command))
        if uid == "1.4":
            raise LookupError("a bug after the answer")

    def find(self, association: Association, message: Message) -> None:
        association.read_data_set(1000)
        association.send_message(message.context.id, c.c_find_rsp(message.command, 0xFF00), b"x")
        raise LookupError("a bug between two answers")

    def refused(self, request: AssociateRequest, peer: Peer, reason: str) -> None:
        self.refusals.append(reason)

    def end(self, association: Association) -> None:
        self.ended.set()
        raise LookupError("a bug at the end")


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def port(seen: Seen) -> Iterator[int]:
    """A listener with a verification, a storage and a query service."""
    yield from listener(seen)


@pytest.fixture
def strict_port(seen: Seen) -> Iterator[int]:
    """As above; registered AEs must call from their hosts."""
    yield from listener(seen, check_peer_host=True)


def services(seen: Seen) -> list[Service]:
    return [
        VERIFICATION_SERVICE,
        Service(
            name="storage",
            abstract_syntaxes=STORAGE_SOP_CLASSES,
            command_fields=frozenset({CommandField.C_STORE_RQ}),
            action=Action.STORE,
            handle=seen.store,
            takes_unknown_abstract_syntaxes=True,
            requestor_may_be_scp=Action.RETRIEVE,
            on_association_end=seen.end,
        ),
        Service(
            name="query",
            abstract_syntaxes=frozenset({STUDY_ROOT_FIND}),
            command_fields=frozenset({CommandField.C_FIND_RQ}),
            action=Action.QUERY,
            handle=seen.find,
            transfer_syntaxes=frozenset({IMPLICIT, EXPLICIT}),
            answer_extended_negotiation=lambda _, information: information[:1],
        ),
    ]


def listener(seen: Seen, **options: bool) -> Iterator[int]:
    sock = listen("127.0.0.1", 0)
    port: int = sock.getsockname()[1]
    server: AssociationServer = build_server(
        Settings(
            dicom=HostPort("127.0.0.1", port),
            limits=LimitsSettings(artim_timeout_s=3, dimse_timeout_s=3, idle_timeout_s=10),
        ),
        services(seen),
        find_ae=REGISTRY.get,
        listeners=[Listener(socket=sock)],
        on_refused=seen.refused,
        **options,
    )
    server.start()
    yield port
    server.stop(0.5)


def proposed(
    *abstract_syntaxes: str, syntaxes: tuple[str, ...] = (EXPLICIT, IMPLICIT), scp: bool = False
) -> list[ProposedContext]:
    return [
        ProposedContext(abstract_syntax=uid, transfer_syntaxes=syntaxes, scp_role=scp)
        for uid in abstract_syntaxes
    ]


def call(
    port: int,
    calling: str,
    contexts: list[ProposedContext],
    *,
    called: str = "NEGATOSCOPE",
    **options: object,
) -> Association:
    return connect(
        "127.0.0.1",
        port,
        calling_ae_title=calling,
        called_ae_title=called,
        contexts=contexts,
        timeouts=FAST,
        **options,  # type: ignore[arg-type]
    )


def store(association: Association, uid: str, data: bytes = b"0123456789") -> scu.Answer:
    context = scu.scu_context(association, CT)
    return scu.store(association, context, sop_class_uid=CT, sop_instance_uid=uid, data_set=data)


# ---- who gets in


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("DISABLED", "disabled AE title"),
        ("TLS_ONLY", "calling AE title in clear, TLS required"),
        ("PROVEN", "calling AE title with another certificate than registered"),
        ("AT_HOME", "calling AE title from another host than registered"),
    ],
)
def test_an_entity_that_does_not_prove_itself(
    port: int, seen: Seen, title: str, reason: str
) -> None:
    """Refused even for Verification, without a word to the peer about the reason."""
    with pytest.raises(AssociationRejected) as refused:
        call(port, title, proposed(VERIFICATION))
    assert (refused.value.source, refused.value.reason) == (1, 1)
    assert seen.refusals == [reason]


def test_an_entity_has_its_own_limit(port: int) -> None:
    """One at a time; the next is told to come again later."""
    with call(port, "ONE", proposed(VERIFICATION)):
        with pytest.raises(AssociationRejected) as refused:
            call(port, "ONE", proposed(VERIFICATION))
        assert refused.value.is_transient
        call(port, "ALL", proposed(VERIFICATION)).release()


def test_anybody_may_verify(port: int) -> None:
    """An unknown AE that proposes Verification alone is answered."""
    with call(port, "WHO", proposed(VERIFICATION)) as association:
        assert scu.echo(association) == 0


@pytest.mark.parametrize(
    ("calling", "called", "uids", "reason"),
    [
        ("WHO", "NEGATOSCOPE", (CT,), "unknown calling AE title"),
        ("WHO", "NEGATOSCOPE", (VERIFICATION, CT), "unknown calling AE title"),
        ("WHO", "WRONG", (VERIFICATION,), "wrong called AE title"),
        ("SCANNER", "WRONG", (CT,), "wrong called AE title"),
        ("scanner", "NEGATOSCOPE", (CT,), "unknown calling AE title"),
        ("ELSEWHERE", "NEGATOSCOPE", (CT,), "from another host"),
    ],
)
def test_refusals_look_alike(
    strict_port: int, seen: Seen, calling: str, called: str, uids: tuple[str, ...], reason: str
) -> None:
    """One A-ASSOCIATE-RJ for all: only the audit learns which part failed."""
    with pytest.raises(AssociationRejected) as caught:
        call(strict_port, calling, proposed(*uids), called=called)
    assert (caught.value.result, caught.value.source, caught.value.reason) == (1, 1, 1)
    assert reason in seen.refusals[0]


def test_registered_host_may_be_a_name(strict_port: int) -> None:
    """``localhost`` is the address the station calls from."""
    call(strict_port, "STATION", proposed(STUDY_ROOT_FIND)).release()


def test_hosts_are_not_compared_unless_asked(port: int) -> None:
    """The default trusts titles alone."""
    call(port, "ELSEWHERE", proposed(CT)).release()


# ---- with which presentation contexts


def accepted(association: Association) -> set[str]:
    return {context.abstract_syntax for context in association.presentation_contexts.values()}


@pytest.mark.parametrize(
    ("calling", "expected"),
    [
        ("SCANNER", {VERIFICATION, CT, PRIVATE}),
        ("STATION", {VERIFICATION, STUDY_ROOT_FIND}),
        ("ALL", {VERIFICATION, CT, PRIVATE, STUDY_ROOT_FIND}),
        ("NOTHING", {VERIFICATION}),
    ],
)
def test_rights_decide_on_contexts(port: int, calling: str, expected: set[str]) -> None:
    """A store-only AE cannot query; private classes are storage; no service, no context."""
    contexts = proposed(VERIFICATION, CT, PRIVATE, STUDY_ROOT_FIND, MODALITY_WORKLIST_FIND, PRINTER)
    with call(port, calling, contexts) as association:
        assert accepted(association) == expected
        results = {
            context.abstract_syntax: answered.result
            for context, answered in zip(
                association.request.presentation_contexts,
                association.accept.presentation_contexts,
                strict=True,
            )
        }
        assert results[PRINTER] == 3
        if calling == "SCANNER":
            assert results[STUDY_ROOT_FIND] == 1


def test_every_storage_class_and_transfer_syntax(port: int) -> None:
    """All of them, and private syntaxes: objects are kept as they come."""
    syntaxes = [*TRANSFER_SYNTAXES, "1.2.3.4.5"]
    with call(
        port, "SCANNER", [context for uid in syntaxes for context in proposed(CT, syntaxes=(uid,))]
    ) as association:
        assert [
            context.transfer_syntax for context in association.presentation_contexts.values()
        ] == syntaxes
    classes = sorted(STORAGE_SOP_CLASSES)
    for start in range(0, len(classes), 128):
        batch = classes[start : start + 128]
        with call(port, "SCANNER", proposed(*batch)) as association:
            assert accepted(association) == set(batch)


def test_the_peers_order_decides(port: int) -> None:
    """Compressed first means compressed; a query takes what its service can read."""
    contexts = [
        *proposed(CT, syntaxes=(JPEG, EXPLICIT)),
        *proposed(STUDY_ROOT_FIND, syntaxes=(JPEG, IMPLICIT, EXPLICIT)),
    ]
    with call(port, "ALL", contexts) as association:
        chosen = [item.transfer_syntax for item in association.presentation_contexts.values()]
    assert chosen == [JPEG, IMPLICIT]


def test_roles_for_c_get(port: int) -> None:
    """A station that may retrieve but not store gets the SCP role alone."""
    for calling, expected in (("STATION", (False, True)), ("ALL", (True, True))):
        with call(port, calling, proposed(CT, scp=True)) as association:
            (context,) = association.presentation_contexts.values()
            assert (context.as_scu, context.as_scp) == expected
    with call(port, "SCANNER", proposed(CT, scp=True)) as association:
        (context,) = association.presentation_contexts.values()
        assert (context.as_scu, context.as_scp) == (True, False)


def test_a_role_not_granted_cannot_be_used(port: int) -> None:
    """C-STORE where only the SCP role was given: 0x0124."""
    with call(port, "STATION", proposed(CT, scp=True)) as association:
        (context,) = association.presentation_contexts.values()
        answer = scu.store(
            association, context, sop_class_uid=CT, sop_instance_uid="1.9", data_set=b"x"
        )
        assert answer.status == 0x0124


def test_extended_negotiation_and_window(port: int) -> None:
    """The service answers for its class; pipelining is for those who only store."""
    with call(
        port,
        "ALL",
        proposed(CT, STUDY_ROOT_FIND),
        extended_negotiation={STUDY_ROOT_FIND: b"\x01\x01", CT: b"\x02"},
        async_window=(8, 8),
    ) as association:
        assert association.extended_negotiation == {STUDY_ROOT_FIND: b"\x01"}
        assert association.async_window.invoked == 1
    with call(port, "SCANNER", proposed(CT), async_window=(8, 8)) as association:
        assert (association.async_window.invoked, association.async_window.performed) == (8, 1)
    with call(port, "SCANNER", proposed(CT), async_window=(0, 0)) as association:
        assert association.async_window.invoked == 16


def test_two_services_cannot_claim_one_class(seen: Seen) -> None:
    """A mistake of ours, said at the start."""
    with pytest.raises(ValueError, match="both claim"):
        ServiceTable([*services(seen), VERIFICATION_SERVICE])


# ---- dispatch


def test_a_service_is_called_with_its_caller(port: int, seen: Seen) -> None:
    """The actor, the registry's row, the whole data set; the end is told."""
    with call(port, "SCANNER", proposed(CT)) as association:
        assert store(association, "1.9", bytes(500_000)).status == 0
    assert seen.stored == [bytes(500_000)]
    assert seen.callers[0].entity is REGISTRY["SCANNER"]
    assert seen.callers[0].actor.name == "SCANNER"
    assert seen.ended.wait(3)


@pytest.mark.parametrize(
    ("uid", "status"), [("1.1", 0x0110), ("1.2", 0x0110), ("1.3", 0xA700), ("1.4", 0)]
)
def test_a_service_that_raises(port: int, seen: Seen, uid: str, status: int) -> None:
    """One answer per request, whatever happens; the association and its neighbours go on."""
    with (
        call(port, "SCANNER", proposed(CT)) as neighbour,
        call(port, "SCANNER", proposed(CT)) as association,
    ):
        assert store(association, uid, bytes(600_000)).status == status
        assert store(association, "1.9").status == 0
        assert store(neighbour, "1.9").status == 0


def test_a_query_that_raises_between_answers(port: int) -> None:
    """Its final answer is 0x0110."""
    with call(port, "STATION", proposed(STUDY_ROOT_FIND)) as association:
        context = scu.scu_context(association, STUDY_ROOT_FIND)
        answers = scu.find(association, context, b"query")
        assert [answer.status for answer in answers] == [0xFF00, 0x0110]


def without(command: CommandSet, *elements: int) -> CommandSet:
    return CommandSet({key: value for key, value in command.items() if key not in elements})


STORE = c.c_store_rq(1, sop_class_uid=CT, sop_instance_uid="1.9")


@pytest.mark.parametrize(
    ("command", "data_set", "status"),
    [
        (without(STORE, c.AFFECTED_SOP_INSTANCE_UID), b"x", 0x0117),
        (without(STORE, c.AFFECTED_SOP_CLASS_UID), b"x", 0x0118),
        (c.c_store_rq(1, sop_class_uid=CT, sop_instance_uid=""), b"x", 0x0117),
        (STORE, None, 0xC000),
        (c.c_store_rq(1, sop_class_uid="1.2", sop_instance_uid="1.9"), b"x", 0xA900),
        (c.c_find_rq(1, CT), b"x", 0x0211),
        (c.c_echo_rq(1, CT), None, 0x0211),
        (CommandSet(STORE | {c.COMMAND_FIELD: 0x0777}), b"x", 0x0211),
    ],
)
def test_requests_no_service_should_see(
    port: int, command: CommandSet, data_set: bytes | None, status: int
) -> None:
    """Missing UIDs, missing data set, class against context, wrong service: a status each."""
    with call(port, "SCANNER", proposed(CT)) as association:
        association.send_message(1, CommandSet(command), data_set)
        message = association.next_message()
        assert message is not None
        assert message.command.status == status
        assert message.command.command_field == command.command_field | 0x8000
        assert store(association, "1.9").status == 0


def test_a_response_nobody_waits_for_aborts(port: int) -> None:
    """There is no answer to an answer."""
    association = call(port, "SCANNER", proposed(CT))
    association.send_message(1, c.c_store_rsp(STORE))
    with pytest.raises((AssociationAborted, AssociationError)):
        association.next_message()


@pytest.mark.parametrize("count", [1, 4])
def test_processes_may_share_the_port(seen: Seen, count: int) -> None:
    """SO_REUSEPORT: as many listeners as one likes on one port."""
    first = listen("127.0.0.1", 0)
    port = first.getsockname()[1]
    socks = [first] + [listen("127.0.0.1", port) for _ in range(count - 1)]
    servers: list[AssociationServer] = []
    settings = Settings(dicom=HostPort("127.0.0.1", port))
    for sock in socks:
        server = build_server(
            settings, services(seen), find_ae=REGISTRY.get, listeners=[Listener(socket=sock)]
        )
        server.start()
        servers.append(server)
    for _ in range(12):
        with call(port, "WHO", proposed(VERIFICATION)) as association:
            assert scu.echo(association) == 0
    assert sum(server.stats().accepted for server in servers) == 12
    for server in servers:
        server.stop(0.5)
