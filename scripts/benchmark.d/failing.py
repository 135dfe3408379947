"""Workers that fail every job that they fetch."""

import contextlib
import selectors
import socket
import time

from client import Client, hello

_WORKER = "benchmark-failing"
_BEAT_SECONDS = 10
_FAILURE = b'"errtype":"Unreachable","message":"the benchmark fails every job","backtrace":[]}\r\n'
_MARKER = b'"jid":"'


class _Connection:
    """Fetches a job, fails it, and fetches the next."""

    def __init__(self, port: int, queue: str):
        self._fetch = f"FETCH {queue}\r\n".encode()
        self._received = b""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.socket.makefile("rb", buffering=0) as replies:
            replies.readline()
            self.socket.sendall(hello(_WORKER))
            replies.readline()

    def fetch(self):
        self.socket.sendall(self._fetch)

    def receive(self) -> bool:
        """Takes in what has come, and sends the next command; says whether a failure was confirmed."""
        self._received += self.socket.recv(65_536)
        end = self._received.find(b"\n") + 1
        if not end:
            return False
        kind, rest = self._received[:1], self._received[1:end]
        if kind == b"$" and int(rest) >= 0:
            if len(self._received) == end + int(rest) + 2:
                self._fail(self._received[end:])
            return False
        if kind not in b"+$":
            raise RuntimeError(f"a worker was answered {rest.decode()}")
        self._received = b""
        self.fetch()
        return kind == b"+"

    def _fail(self, job: bytes):
        start = job.index(_MARKER) + len(_MARKER)
        jid = job[start : job.index(b'"', start)]
        self._received = b""
        self.socket.sendall(b'FAIL {"jid":"' + jid + b'",' + _FAILURE)


def fail_all(port: int, queue: str, job_count: int, connection_count: int = 200):
    """Fetches that many jobs of a queue and fails each."""
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        life = stack.enter_context(Client(port, _WORKER))
        for _ in range(connection_count):
            connection = _Connection(port, queue)
            stack.enter_context(connection.socket)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.fetch()
        next_beat = 0.0
        left = job_count
        while left:
            if time.monotonic() >= next_beat:
                life.ask(f'BEAT {{"wid":"{_WORKER}"}}')
                next_beat = time.monotonic() + _BEAT_SECONDS
            for key, _ in selector.select():
                left -= key.data.receive()
