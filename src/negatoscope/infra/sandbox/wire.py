"""Messages between a sandbox and its workers.

offset  length  field
0       4       bytes of the JSON that follows the lengths
4       4       number of payload parts
8       8 each  bytes of each part
…               JSON, then the parts one after the other
"""

import json
import os
import socket
from collections.abc import Sequence
from struct import Struct
from typing import Any, Final

_HEAD: Final = Struct("<II")
_MAX_PARTS: Final = 1 << 16
_MAX_JSON_BYTES: Final = 64 << 20
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_SENT_AT_ONCE: Final = 64
Part = bytes | bytearray | memoryview


class Closed(Exception):
    """The other side is gone."""


class TooLong(Exception):
    """The message passes the limit."""


def send(sock: socket.socket, message: Any, parts: Sequence[Part] = ()) -> None:
    """One message.

    Raises:
        Closed: the other side is gone.
        TimeoutError: it does not read.
    """
    text = json.dumps(message, separators=(",", ":")).encode()
    views = [memoryview(part).cast("B") for part in parts]
    head = _HEAD.pack(len(text), len(views))
    lengths = b"".join(len(view).to_bytes(8, "little") for view in views)
    pieces = [memoryview(head + lengths + text), *(view for view in views if len(view))]
    try:
        while pieces:
            sent = sock.sendmsg(pieces[:_SENT_AT_ONCE])
            while pieces and sent >= len(pieces[0]):
                sent -= len(pieces.pop(0))
            if sent:
                pieces[0] = pieces[0][sent:]
    except (BrokenPipeError, ConnectionResetError) as error:
        raise Closed from error


def receive(sock: socket.socket, *, most: int | None = None) -> tuple[Any, list[memoryview]]:
    """One message.

    Args:
        sock: From whom.
        most: Bytes of its parts together.

    Raises:
        Closed: the other side is gone.
        TooLong: the parts pass the limit.
        TimeoutError: nothing comes.
    """
    json_length, count = _HEAD.unpack(_exactly(sock, _HEAD.size))
    if json_length > _MAX_JSON_BYTES or count > _MAX_PARTS:
        raise TooLong
    raw = _exactly(sock, 8 * count)
    lengths = [int.from_bytes(raw[at : at + 8], "little") for at in range(0, 8 * count, 8)]
    if most is not None and sum(lengths) > most:
        raise TooLong
    message = json.loads(bytes(_exactly(sock, json_length)))
    whole = _exactly(sock, sum(lengths))
    parts = []
    at = 0
    for length in lengths:
        parts.append(whole[at : at + length])
        at += length
    return message, parts


def _exactly(sock: socket.socket, length: int) -> memoryview:
    buffer = bytearray(length)
    view = memoryview(buffer)
    done = 0
    while done < length:
        try:
            count = sock.recv_into(view[done:])
        except ConnectionResetError as error:
            raise Closed from error
        if not count:
            raise Closed
        done += count
    return view


def virtual_bytes() -> int:
    """Address space of this process."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def resident_bytes(statm: int) -> int:
    """Memory of this process, from a descriptor of /proc/self/statm."""
    return int(os.pread(statm, 128, 0).split()[1]) * _PAGE_BYTES
