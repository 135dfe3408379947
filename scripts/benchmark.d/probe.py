"""How long commands take while something else goes on."""

import secrets
import threading
import time

from client import Client

_QUEUE = "benchmark-probe"


def percentile(values: list[float], percent: float) -> float:
    """The smallest value that is not below that share of them."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


class Probe:
    """A context in which one producer and worker pushes, fetches and acknowledges jobs in a queue of its own.

    It works on a thread, with a pause of 2 ms between the jobs, so that it is not the load. `milliseconds` has every
    command that it has sent.
    """

    _PAUSE_SECONDS = 0.002

    def __init__(self, port: int):
        self._port = port
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._failure: Exception | None = None
        self.milliseconds: list[float] = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()
        if self._failure:
            raise self._failure

    def _work(self):
        try:
            with Client(self._port, worker="benchmark-probe") as client:
                number = 0
                # No job is run again that was done under its name a moment ago.
                run = secrets.token_hex(4)
                while not self._is_over.wait(self._PAUSE_SECONDS):
                    self._job(client, f"benchmark-probe-{run}-{number}")
                    number += 1
        except Exception as error:
            self._failure = error

    def _job(self, client: Client, job: str):
        for command in (
            f'PUSH {{"jid":"{job}","jobtype":"probe","queue":"{_QUEUE}","args":[]}}',
            f"FETCH {_QUEUE}",
            f'ACK {{"jid":"{job}"}}',
        ):
            self.milliseconds.append(timed(client, command)[1])


def timed(client: Client, command: str) -> tuple[bytes | None, float]:
    """A command's answer, and how many milliseconds it took."""
    began = time.perf_counter()
    answer = client.ask(command)
    return answer, (time.perf_counter() - began) * 1_000
