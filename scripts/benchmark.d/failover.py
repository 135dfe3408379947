"""What is stored, and what a fail-over and the heads of queues make of it."""

import json
import os
import signal
import time

import processes
from client import Client, Refused
from report import Figure, Section, at_most
from server import Server
from setup import Setup, say

_REPEATS = 3
_SMALL_JOBS = 300_000
_MANY_JOBS = 3_000_000
_LARGE_JOBS = 1_000
_LARGE_BYTES = 400_000
# A fail-over with anything stored takes so much longer than one with nothing, at the most.
_SECONDS_ALLOWED = 0.3
_QUEUES = 200
_HEAD_BYTES = 4_000_000
_MEBIBYTE = 1_048_576
_MESSAGE_BYTES = 4_000_000


def failover(setup: Setup) -> Section:
    """Kills the manager over and over, with ever more in its store, and looks when a PUSH is answered again."""
    section = Section("The manager is killed")
    empty = 0.0
    for what, count, size in (
        ("nothing", 0, 0),
        (f"{setup.jobs(_SMALL_JOBS):,} small jobs", setup.jobs(_SMALL_JOBS), 10),
        (f"{setup.jobs(_MANY_JOBS):,} small jobs", setup.jobs(_MANY_JOBS), 10),
        (f"{_LARGE_JOBS:,} jobs of {_LARGE_BYTES // 1_000} kB", _LARGE_JOBS, _LARGE_BYTES),
    ):
        say(f"the manager is killed with {what} in a queue")
        with setup.server() as server:
            _fill(server, "stored", count, size)
            pauses = [_pause(server) for _ in range(_REPEATS)]
        longest = max(pauses)
        empty = empty or longest
        budget = at_most(empty + _SECONDS_ALLOWED) if count else None
        section.figures.append(Figure(f"until a PUSH is answered, with {what}, longest of {_REPEATS}", longest, "s", budget))
    return section


def heads(setup: Setup) -> Section:
    """Many queues whose heads are as large as a mirror of one may be, all of which are asked for."""
    say(f"{_QUEUES} queues with heads of {_HEAD_BYTES // 1_000_000} MB")
    section = Section(f"{_QUEUES} queues with {_HEAD_BYTES // 1_000_000} MB each")
    size = 100_000
    count = _HEAD_BYTES // size
    with setup.server() as server:
        for queue in range(_QUEUES):
            _fill(server, f"queue-{queue}", count, size)
        pushed = _manager_bytes(server)
        _kill_manager(server)
        _wait_for_push(server)
        with Client(server.port, worker="benchmark-heads") as client:
            for queue in range(_QUEUES):
                job = json.loads(client.ask(f"FETCH queue-{queue}"))
                client.ask("ACK " + json.dumps({"jid": job["jid"]}))
        read = _manager_bytes(server)
    for what, used in (("pushed", pushed), ("read after a fail-over", read)):
        section.figures.append(Figure(f"memory of the manager, {what}", used / _MEBIBYTE, "MiB", at_most(512)))
    return section


def _fill(server: Server, queue: str, count: int, size: int):
    """Pushes jobs with an argument of so many bytes."""
    filler = "x" * size
    each = max(1, min(1_000, _MESSAGE_BYTES // (size + 200)))
    with Client(server.port) as client:
        for start in range(0, count, each):
            numbers = range(start, min(start + each, count))
            jobs = [{"jid": f"{queue}-{n:010}", "jobtype": "Fill", "queue": queue, "args": [filler]} for n in numbers]
            if client.ask("PUSHB " + json.dumps(jobs)) != b"{}":
                raise RuntimeError(f"a job of {queue} was refused")


def _manager(server: Server) -> int:
    """The process that is the manager now; the supervisor starts another when it was killed."""
    for pid in processes.children(server.supervisor):
        if processes.command(pid)[1:2] == ["manager"]:
            return pid
    return 0


def _manager_bytes(server: Server) -> int:
    return processes.resident_bytes(_manager(server))


def _kill_manager(server: Server):
    while not (pid := _manager(server)):
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)


def _pause(server: Server) -> float:
    """Kills the manager, and says after how many seconds a PUSH is answered."""
    # What the last fail-over began, and what was pushed before, is over.
    time.sleep(3)
    began = time.monotonic()
    _kill_manager(server)
    _wait_for_push(server)
    return time.monotonic() - began


def _wait_for_push(server: Server):
    """Pushes one job, and comes again for as long as the connection is closed before the answer."""
    jid = f"pushed-{time.monotonic_ns()}"
    while True:
        try:
            with Client(server.port) as client:
                client.ask("PUSH " + json.dumps({"jid": jid, "jobtype": "Fill", "queue": "others", "args": []}))
                return
        except (OSError, Refused):
            time.sleep(0.01)
