"""A million jobs in one place."""

import time

from client import Client
from failing import fail_all
from load import fill
from probe import Probe, percentile, timed
from report import Figure, Section, at_most, number
from server import Server
from setup import Setup, say

_JOBS = 1_000_000
# How many jobs are fetched one by one for the latency of a FETCH.
_FETCHES = 5_000
# How long a job that failed once waits at the most: 15 seconds, and up to 29 more at random.
_LONGEST_WAIT = 45
_SECONDS_TO_DRAIN = 300
_MEBIBYTE = 1_048_576


def queued(setup: Setup) -> Section:
    """As many jobs in a queue: what they take, and what they slow down."""
    count = setup.jobs(_JOBS)
    say(f"{count:,} jobs in a queue")
    section = Section(f"{count:,} jobs in a queue")
    with setup.server() as server:
        small, _ = fill(setup.millrace, server, setup.jobs(_FETCHES))
        shallow = _fetch(server, small, setup.jobs(_FETCHES))
        used, resident = server.redis_used_bytes(), server.resident_bytes()
        deep, rate = fill(setup.millrace, server, count)
        section.figures.append(Figure("PUSHB of 1,000, 4 producers", rate, "jobs/s"))
        section.figures += _memory(server, used, resident, count)
        began = time.monotonic()
        server.stop()
        stopping = time.monotonic() - began
        starting = server.start()
        first = _fetch(server, deep, 1)[0]
        fetches = _fetch(server, deep, setup.jobs(_FETCHES))
    section.figures += [
        Figure("an orderly stop", stopping, "s"),
        Figure("start-up, until INFO is answered", starting, "s", note="upstream 1.6 s"),
        Figure("the first FETCH after that", first, "ms"),
    ]
    for name, values in (("few jobs", shallow), ("all of them", fetches)):
        for percent in (50, 99):
            what = f"FETCH from a queue with {name}, p{percent}"
            section.figures.append(Figure(what, percentile(values, percent), "ms"))
    section.notes = ["One worker fetches and acknowledges one job after the other, without other load."]
    return section


def due(setup: Setup) -> Section:
    """As many retries that become due while nobody looks, and then all at once.

    Every job is fetched and failed while the scheduler is stopped. That is what the server finds when its scheduler
    comes back after some minutes.
    """
    count = setup.jobs(_JOBS)
    section = Section(f"{count:,} retries due at once")
    with setup.server() as server:
        queue, _ = fill(setup.millrace, server, count)
        with server.stopped("scheduler") as let_go:
            say(f"failing {count:,} jobs")
            began = time.monotonic()
            fail_all(server.port, queue, count)
            failing = count / (time.monotonic() - began)
            _require_retries(server, count)
            say("waiting until all of them are due")
            time.sleep(_LONGEST_WAIT)
            with Probe(server.port) as probe:
                let_go()
                seconds = _drain(server)
        with Client(server.port) as client:
            queued = client.info()["queues"].get(queue, 0)
    if queued != count:
        raise RuntimeError(f"of {count} retries only {queued} are in their queue")
    section.figures = [
        Figure("FETCH and FAIL, 200 workers", failing, "jobs/s", note="by a generator in Python"),
        Figure("until all are in their queue again", seconds, "s", at_most(15), "upstream 62 s"),
        Figure("PUSH, FETCH, ACK of others meanwhile, p50", percentile(probe.milliseconds, 50), "ms"),
        Figure("PUSH, FETCH, ACK of others meanwhile, p99", percentile(probe.milliseconds, 99), "ms", at_most(20)),
        Figure("PUSH, FETCH, ACK of others meanwhile, longest", max(probe.milliseconds), "ms"),
    ]
    section.notes = [
        "Each job was fetched and failed while the scheduler was held with SIGSTOP; it was let go when all of them "
        "were due, and time counts from then. "
        f"The others are {number(len(probe.milliseconds))} commands of one connection."
    ]
    return section


def _fetch(server: Server, queue: str, count: int) -> list[float]:
    """Fetches and acknowledges jobs one after the other; returns how many milliseconds each FETCH took."""
    values = []
    with Client(server.port, worker="benchmark-fetching") as client:
        for _ in range(count):
            job, milliseconds = timed(client, f"FETCH {queue}")
            values.append(milliseconds)
            jid = job.decode().partition('"jid":"')[2].partition('"')[0]
            client.ask(f'ACK {{"jid":"{jid}"}}')
    return values


def _memory(server: Server, used: int, resident: dict[str, int], count: int) -> list[Figure]:
    growth = {name: size - resident[name] for name, size in server.resident_bytes().items()}
    parts = ", ".join(f"{name} {number(size / _MEBIBYTE)}" for name, size in growth.items())
    in_redis = (server.redis_used_bytes() - used) / count
    return [
        Figure("memory of Redis, its own count", in_redis, "bytes a job", note="upstream 275"),
        Figure("resident memory gained by all processes", sum(growth.values()) / _MEBIBYTE, "MiB", note=parts),
    ]


def _require_retries(server: Server, count: int):
    with Client(server.port) as client:
        found = client.info()["sets"]["retries"]
    if found != count:
        raise RuntimeError(f"of {count} jobs that were failed, {found} are to be tried again")


def _drain(server: Server) -> float:
    """Waits until no retry is left, and says how many seconds that took."""
    began = time.monotonic()
    with Client(server.port) as client:
        while client.info()["sets"]["retries"]:
            if time.monotonic() - began > _SECONDS_TO_DRAIN:
                raise RuntimeError(f"retries are left after {_SECONDS_TO_DRAIN} s")
            time.sleep(0.05)
    return time.monotonic() - began
