"""Drives the unmodified PyPI client `pyfaktory` against the server at FAKTORY_URL.

Each scenario ends with `passed`, or with a traceback and exit code 1.
"""

import datetime
import secrets
import sys
import time

from pyfaktory import Client, Consumer, Job, MutateOperation, Producer
from pyfaktory.util.enums import State

# Part of each jid: a job that was done is not run again for a while, whoever pushes it.
RUN = secrets.token_hex(4)


def push_and_work():
    with Client(role="both", worker_id="pyfaktory-worker") as client:
        producer = Producer(client)
        assert producer.push(Job(jid=f"py-single-{RUN}-1", jobtype="adder", args=[5, 4.0], queue="py"))
        jobs = [Job(jid=f"py-bulk-{RUN}-{n}", jobtype="adder", args=[n], queue="py") for n in range(10)]
        assert producer.push_bulk(jobs) == {}
        for number in range(11):
            job = client._fetch(["nothing", "py"])
            assert job is not None, number
            assert client._ack(job["jid"])
        assert client._fetch(["py"]) is None
        assert client.info()["faktory"]["total_processed"] == 11


def fail_and_retry():
    with Client(role="both", worker_id="pyfaktory-failing") as client:
        Producer(client).push(Job(jid=f"py-failing-{RUN}-1", jobtype="adder", args=[], queue="pyfail", retry=3))
        job = client._fetch(["pyfail"])
        assert client._fail(job["jid"], "ZeroDivisionError", "division by zero", ["line 1", "line 2"])
        client.mutate(MutateOperation(cmd="requeue", target="retries"))
        job = client._fetch(["pyfail"])
        assert job["failure"]["errtype"] == "ZeroDivisionError", job
        assert job["failure"]["backtrace"] == ["line 1", "line 2"], job
        assert job["failure"]["remaining"] == 3, job
        assert client._ack(job["jid"])


def schedule():
    due = time.time() + 1.5
    text = datetime.datetime.fromtimestamp(due, datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    with Client(role="both", worker_id="pyfaktory-later") as client:
        Producer(client).push(Job(jid=f"py-later-{RUN}-1", jobtype="adder", args=[], queue="pylater", at=text))
        assert client.info()["faktory"]["sets"]["scheduled"] == 1
        job = None
        while job is None and time.time() < due + 60:
            job = client._fetch(["pylater"])
        assert job is not None and time.time() >= due
        assert client._ack(job["jid"])


def unique_and_expiring():
    def make(number, **custom):
        return Job(jid=f"py-unique-{RUN}-{number}", jobtype="adder", args=[1, 2.50], queue="pyunique", custom=custom)

    with Client(role="both", worker_id="pyfaktory-unique") as client:
        producer = Producer(client)
        assert producer.push(make(1, unique_for=600))
        try:
            producer.push(make(2, unique_for=0.5))
        except Exception as error:
            assert "NOTUNIQUE Job not unique" in str(error), error
        else:
            raise AssertionError("a job that is not unique was taken")
        refused = producer.push_bulk([make(3, unique_for=600), make(4, expires_at="2001-02-03T04:05:06Z")])
        assert refused == {f"py-unique-{RUN}-3": "NOTUNIQUE Job not unique"}, refused
        assert client._ack(client._fetch(["pyunique"])["jid"])
        # The lock of the first is free, and the fourth has expired.
        assert producer.push(make(5, unique_for=600, expires_in=600))
        assert client._fetch(["pyunique"])["jid"] == f"py-unique-{RUN}-5"
        assert client._ack(f"py-unique-{RUN}-5")
        assert client.info()["faktory"]["total_enqueued"] == 0


def heartbeat():
    with Client(role="both", worker_id="pyfaktory-states") as worker:
        assert worker._beat()
        for signal, expected in [("quiet", State.QUIET), ("terminate", State.TERMINATING)]:
            with Client(role="producer") as other:
                command = f'BEAT {{"wid":"pyfaktory-states","current_state":"{signal}"}}\r\n'
                assert signal in other._send_and_receive(command)
            assert worker._beat()
            assert worker.state == expected, worker.state


def queues():
    with Client(role="both", worker_id="pyfaktory-queues") as client:
        Producer(client).push(Job(jid=f"py-paused-{RUN}-1", jobtype="adder", args=[], queue="pypause"))
        assert client.queue_pause(["pypause"])
        assert client._fetch(["pypause"]) is None
        assert client.queue_unpause(all_queues=True)
        assert client._fetch(["pypause"])["jid"] == f"py-paused-{RUN}-1"
        assert client._ack(f"py-paused-{RUN}-1")
        assert client.queue_remove(["pypause"])
        assert "pypause" not in client.info()["faktory"]["queues"]


def double(number):
    return 2 * number


def consumer():
    client = Client(role="both", worker_id="pyfaktory-consumer", beat_period=5)
    client.connect()
    for number in range(5):
        Producer(client).push(Job(jid=f"py-consumed-{RUN}-{number}", jobtype="double", args=[number], queue="pyconsume"))
    worker = Consumer(client, queues=["pyconsume"], concurrency=2, grace_period=2)
    worker.register("double", double)
    done = worker.task_done
    finished = []

    def task_done(future):
        done(future)
        finished.append(future.job_id)
        if len(finished) == 5:
            # What a second Ctrl-C does: the loop ends.
            client._set_state(State.TERMINATING)

    worker.task_done = task_done
    try:
        worker.run()
    except SystemExit:
        pass
    assert len(finished) == 5, finished
    client.disconnect()
    with Client(role="producer") as observer:
        assert observer.info()["faktory"]["sets"]["working"] == 0


def connect():
    with Client(role="both", worker_id="pyfaktory-hello") as client:
        assert client.info()["server"]["faktory_version"]
        assert Producer(client).push(Job(jid=f"py-hello-{RUN}-1", jobtype="a", args=["x"], queue="pyhello"))
        assert client._fetch(["pyhello"])["args"] == ["x"]
        assert client._ack(f"py-hello-{RUN}-1")


def wrong_password():
    try:
        Client(role="producer").connect()
    except Exception as error:
        assert "Invalid password" in str(error), error
    else:
        raise AssertionError("the wrong password was taken")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        globals()[name]()
    print("passed")
