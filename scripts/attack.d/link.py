"""The messages between fronts, schedulers, members and a manager, and somebody who may say any of them.

It is a second writer of what docs/link-protocol.md describes, and speaks it over ZeroMQ as Millrace's own processes do.
"""

import json
import struct

import zmq

ATTACHED, ATTACH_FIRST, EXPIRED, REPLIES, LATE, ALIVE = 65, 66, 67, 68, 69, 71


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<I", len(data)) + data


def head(kind):
    return bytes([1, kind])


def attach(session, name="", is_new=True):
    return head(1) + struct.pack("<QQ", *session) + text(name) + text("attack") + bytes([is_new])


def batch(session, number, commands, lane=0, settled=0):
    """Commands are bytes: an operation, a request of eight bytes, and what the operation has."""
    return (
        head(2)
        + struct.pack("<QQHQQI", *session, lane, number, settled, len(commands))
        + b"".join(commands)
    )


def heartbeat(session):
    return head(3) + struct.pack("<QQQQQ", *session, 0, 0, 0)


def detach(session):
    return head(4) + struct.pack("<QQ", *session)


def tick(task, number=1):
    return head(5) + struct.pack("<BQ", task, number)


def command(operation, request, rest=b""):
    return struct.pack("<BQ", operation, request) + rest


def push(request, jid, queue="attack"):
    job = json.dumps({"jid": jid, "jobtype": "A", "args": [], "queue": queue})
    return command(1, request, text(job))


def fetch(request, *queues, wait=2_000):
    return command(
        3, request, text("") + struct.pack("<I", len(queues)) + b"".join(map(text, queues)) + struct.pack("<I", wait)
    )


def flush(request):
    return command(9, request)


class Peer:
    """A connection to a manager's port, with a key of its own or none."""

    def __init__(self, endpoint, keys=None, server_key=None, identity=None):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 2_000)
        self.socket.setsockopt(zmq.SNDHWM, 0)
        if identity:
            self.socket.setsockopt(zmq.IDENTITY, identity)
        if keys:
            self.socket.curve_publickey, self.socket.curve_secretkey = keys
            self.socket.curve_serverkey = server_key
        self.socket.connect(endpoint)

    def say(self, *messages):
        for message in messages:
            self.socket.send(message)

    def hear(self, timeout=2):
        """The next answer; nothing when none comes in time."""
        return self.socket.recv() if self.socket.poll(1_000 * timeout) else None

    def heard(self, kind, timeout=2):
        """Whether an answer of this kind comes in time; others are skipped."""
        while (answer := self.hear(timeout)) is not None:
            if answer[1] == kind:
                return True
        return False

    def close(self, linger=None):
        self.socket.close(linger)
