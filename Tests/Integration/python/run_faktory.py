"""Drives the unmodified PyPI client `faktory` against the server at FAKTORY_URL.

This client sends no protocol version and hashes a password only once.
Each scenario ends with `passed`, or with a traceback and exit code 1.
"""

import secrets
import sys
from datetime import datetime, timedelta

import faktory
from faktory import Worker
from faktory.exceptions import FaktoryAuthenticationError

# Part of each jid: a job that was done is not run again for a while, whoever pushes it.
RUN = secrets.token_hex(4)


def work():
    with faktory.connection() as client:
        for number in range(5):
            assert client.queue("adder", args=[number], queue="fk", jid=f"fk-worked-{RUN}-{number}")
        assert client.queue("broken", args=[], queue="fk", jid=f"fk-broken-{RUN}-1")

    seen = []

    def broken():
        seen.append("broken")
        raise ValueError("no such luck")

    worker = Worker(queues=["fk"], concurrency=2, use_threads=True, worker_id="faktory-worker")
    worker.register("adder", seen.append)
    worker.register("broken", broken)
    until(worker, lambda: len(seen) == 6 and not worker._pending)
    assert sorted(map(str, seen)) == ["0", "1", "2", "3", "4", "broken"], seen

    # The failed job comes back with what was said of it.
    with faktory.connection() as client:
        client.faktory.reply("MUTATE", {"cmd": "requeue", "target": "retries"})
        assert next(client.faktory.get_message()) == "OK"
    until(worker, lambda: len(seen) == 7 and not worker._pending)
    worker.faktory.disconnect()


def states():
    worker = Worker(queues=["fk"], use_threads=True, worker_id="faktory-states")
    worker.faktory.connect(worker_id=worker.worker_id)
    worker.heartbeat()
    assert not worker.is_quiet
    for signal in ["quiet", "terminate"]:
        with faktory.connection() as other:
            other.faktory.reply("BEAT", {"wid": worker.worker_id, "current_state": signal})
            assert signal in next(other.faktory.get_message())
        worker.heartbeat()
    assert worker.is_quiet and worker.is_disconnecting
    worker.faktory.disconnect()


def connect():
    with faktory.connection() as client:
        assert client.queue("a", args=["x"], queue="fkhello", jid=f"fk-hello-{RUN}-1")
        assert client.faktory.fetch(["fkhello"])["args"] == ["x"]
        client.faktory.reply("ACK", {"jid": f"fk-hello-{RUN}-1"})
        assert next(client.faktory.get_message()) == "OK"


def wrong_password():
    try:
        faktory.get_client().connect()
    except FaktoryAuthenticationError:
        return
    raise AssertionError("the wrong password was taken")


def until(worker, is_so):
    """Runs the worker's own loop, as its run() does, until something is so."""
    if not worker.faktory.is_connected:
        worker.faktory.connect(worker_id=worker.worker_id)
    worker._last_heartbeat = datetime.now() + timedelta(seconds=worker.send_heartbeat_every)
    deadline = datetime.now() + timedelta(seconds=30)
    while not is_so():
        assert datetime.now() < deadline, "the worker did not get there"
        worker.tick()


if __name__ == "__main__":
    for name in sys.argv[1:]:
        globals()[name]()
    print("passed")
