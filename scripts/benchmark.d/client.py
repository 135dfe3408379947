"""A Faktory connection with one command outstanding, for what `millrace bench` does not do."""

import json
import os
import socket


class Refused(Exception):
    """The server answered a command with an error."""


def hello(worker: str | None) -> bytes:
    """The line that introduces a connection, as a worker if it has a name."""
    identity = {"v": 2}
    if worker:
        identity |= {"wid": worker, "hostname": "localhost", "pid": os.getpid(), "labels": ["benchmark"]}
    return b"HELLO " + json.dumps(identity).encode() + b"\r\n"


class Client:
    """A blocking connection."""

    def __init__(self, port: int, worker: str | None = None):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._replies = self._socket.makefile("rb")
        self._replies.readline()
        self._socket.sendall(hello(worker))
        self._reply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._replies.close()
        self._socket.close()

    def ask(self, command: str) -> bytes | None:
        """Sends a command and waits for its answer; None for the null that FETCH answers when there is no job."""
        self._socket.sendall(command.encode() + b"\r\n")
        return self._reply()

    def info(self) -> dict:
        return json.loads(self.ask("INFO"))["faktory"]

    def _reply(self) -> bytes | None:
        line = self._replies.readline()
        kind, rest = line[:1], line[1:].rstrip()
        if kind == b"$":
            count = int(rest)
            return None if count < 0 else self._replies.read(count + 2)[:-2]
        if kind == b"+" or kind == b":":
            return rest
        raise Refused(rest.decode() or "the connection was closed")
