"""Functions that hurt the worker they run in; for tests only."""

import os
import signal
import threading
import time


class Refusal(Exception):
    code = "not-wanted"


def echo(arguments, payload):
    return arguments, b"".join(bytes(part) for part in payload)


def identity(_arguments, _payload):
    return {"pid": os.getpid(), "group": os.getpgid(0), "threads": threading.active_count()}, b""


def open_descriptors(_arguments, _payload):
    return sorted(map(int, os.listdir("/proc/self/fd"))), b""


def crash(arguments, _payload):
    os.kill(os.getpid(), signal.Signals[arguments["signal"]])
    time.sleep(10)


def eat(arguments, _payload):
    kept = bytearray(arguments["bytes"])
    return len(kept), b""


def spin(_arguments, _payload):
    while True:
        pass


def sleep(arguments, _payload):
    time.sleep(arguments["s"])
    return None, b""


def flood(arguments, _payload):
    return None, bytes(arguments["bytes"])


def refuse(_arguments, _payload):
    raise Refusal("for a reason")


def fail(_arguments, _payload):
    return 1 / 0


def write(arguments, _payload):
    with open(arguments["path"], "wb") as file:
        file.write(b"x" * 10_000)
    return None, b""


FUNCTIONS = {
    function.__name__: function
    for function in (
        echo,
        identity,
        open_descriptors,
        crash,
        eat,
        spin,
        sleep,
        flood,
        refuse,
        fail,
        write,
    )
}
