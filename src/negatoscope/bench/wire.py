"""A storing association that costs the client next to nothing: prepared PDUs, one write, one read.

The association is negotiated with the encoders of the upper layer; after that a whole C-STORE,
command and data set in PDUs of the longest the peer takes, lies ready in one buffer, so that client and
server, which share the processor, do not compete for it.
"""

from __future__ import annotations

import socket
from typing import Self

from negatoscope.kit.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from negatoscope.protocols.dicom.dimse.command import (
    COMMAND_DATA_SET_TYPE,
    CommandSet,
    c_store_rq,
)
from negatoscope.protocols.dicom.ul.items import UserInformation
from negatoscope.protocols.dicom.ul.negotiation import ProposedContext, propose
from negatoscope.protocols.dicom.ul.pdu import (
    PDU_HEADER_BYTES,
    PDV_HEADER_BYTES,
    AssociateAccept,
    AssociateRequest,
    PduType,
    ReleaseRequest,
    data_header,
    decode_control_pdu,
)

MAX_SENT_PDU_BYTES = 1 << 20
MAX_RECEIVED_PDU_BYTES = 16_384


class WireError(Exception):
    """The peer refused, aborted or went away."""


class StoringAssociation:
    """A requestor with one presentation context.

    Args:
        timeout_s: of every read and write.
    Raises: WireError: no connection, or the association or its context was not accepted.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        called_ae_title: str,
        calling_ae_title: str,
        sop_class_uid: str,
        transfer_syntax_uid: str,
        timeout_s: float = 60.0,
    ) -> None:
        self.sop_class_uid = sop_class_uid
        proposed, roles = propose(
            [
                ProposedContext(
                    abstract_syntax=sop_class_uid, transfer_syntaxes=(transfer_syntax_uid,)
                )
            ]
        )
        request = AssociateRequest(
            called_ae_title=called_ae_title,
            calling_ae_title=calling_ae_title,
            presentation_contexts=proposed,
            user_information=UserInformation(
                max_pdu_bytes=MAX_RECEIVED_PDU_BYTES,
                implementation_class_uid=IMPLEMENTATION_CLASS_UID,
                implementation_version_name=IMPLEMENTATION_VERSION_NAME,
                roles=roles,
            ),
        )
        try:
            self._socket = socket.create_connection((host, port), timeout=timeout_s)
        except OSError as error:
            raise WireError(f"cannot connect to {host}:{port}: {error}") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(timeout_s)
        self._received = bytearray()
        self._socket.sendall(request.encode())
        pdu_type, body = self._read_pdu()
        answer = decode_control_pdu(pdu_type, memoryview(body))
        if not isinstance(answer, AssociateAccept):
            self._socket.close()
            raise WireError(f"the association was not accepted: {answer}")
        context = answer.presentation_contexts[0]
        if context.result != 0:
            self._socket.close()
            raise WireError(f"the presentation context was refused: result {context.result}")
        self.context_id = context.context_id
        self.max_pdu_bytes = min(
            answer.user_information.max_pdu_bytes or MAX_SENT_PDU_BYTES, MAX_SENT_PDU_BYTES
        )

    def store_message(self, sop_instance_uid: str, data_set: bytes) -> bytearray:
        """A C-STORE-RQ with its data set, ready to send."""
        message = bytearray(self.command_pdu(sop_instance_uid))
        step = self.max_pdu_bytes - PDV_HEADER_BYTES
        for start in range(0, len(data_set), step):
            fragment = data_set[start : start + step]
            message += self.fragment_header(len(fragment), is_last=start + step >= len(data_set))
            message += fragment
        return message

    def command_pdu(self, sop_instance_uid: str) -> bytes:
        """The C-STORE-RQ alone."""
        request = c_store_rq(1, sop_class_uid=self.sop_class_uid, sop_instance_uid=sop_instance_uid)
        request[COMMAND_DATA_SET_TYPE] = 0x0001
        command = request.encode()
        return data_header(self.context_id, len(command), is_command=True, is_last=True) + command

    def fragment_header(self, fragment_bytes: int, *, is_last: bool) -> bytes:
        """What precedes a fragment of the data set."""
        return data_header(self.context_id, fragment_bytes, is_command=False, is_last=is_last)

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of it."""
        self._socket.sendall(data)

    def read_status(self) -> int:
        """Wait for the C-STORE-RSP.

        Returns: Status (0000,0900).
        Raises: WireError: something else came.
        """
        pdu_type, body = self._read_pdu()
        if pdu_type != PduType.DATA_TF:
            raise WireError(f"PDU type {pdu_type} instead of an answer: {bytes(body[:8]).hex()}")
        return CommandSet.decode(body[PDV_HEADER_BYTES:]).status

    def release(self) -> None:
        """A-RELEASE, and close."""
        try:
            self._socket.sendall(ReleaseRequest().encode())
            self._read_pdu()
        except (OSError, WireError):
            pass
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self.release()
        self.close()

    def _read_pdu(self) -> tuple[int, bytes]:
        header = self._read(PDU_HEADER_BYTES)
        return header[0], self._read(int.from_bytes(header[2:6], "big"))

    def _read(self, count: int) -> bytes:
        while len(self._received) < count:
            try:
                data = self._socket.recv(65_536)
            except OSError as error:
                raise WireError(f"no answer: {error}") from error
            if not data:
                raise WireError("the peer closed the connection")
            self._received += data
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken
