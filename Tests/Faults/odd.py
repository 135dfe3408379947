"""Clients that behave as few do: one that half-closes its connection, and one that does not read what it asked for."""

import asyncio
import json

import payload
from client import Broken, Connection, Refused, Unknown, Unreachable
from history import OK, REFUSED, UNKNOWN, Execution, Operation, Pipeline

# The queues that only these clients fetch from while they work; the workers look there, too, when the run is over.
HALF_CLOSED = "half-closed"
UNREAD = "unread"

# How long a reply to a client that half-closed is waited for.
PATIENCE = 60.0


async def half_close(workload, number, rng):
    """Sends pushes and fetches at once and shuts its sending side down; the replies come all the same, in order."""
    queue = f"{HALF_CLOSED}-{number}"
    while workload.is_producing:
        wid = f"{queue}-{rng.getrandbits(32):08x}"
        try:
            connection = await Connection.open(rng.choice(workload.shape.hosts), wid, PATIENCE)
        except Unreachable as error:
            workload.history.errors.append((workload.history.now(), "connect", str(error)))
            await asyncio.sleep(0.1)
            continue
        jobs = await _pipeline(workload, connection, wid, queue, rng)
        connection.close()
        left = workload.history.now()
        for job, execution in jobs:
            await workload.finish(job["jid"], execution, wid, rng, left)
        await asyncio.sleep(rng.expovariate(5))


async def _pipeline(workload, connection, wid, queue, rng):
    """One turn; returns the jobs that it was given, with their executions."""
    history = workload.history
    lines, expected, pushed = ["BEAT " + json.dumps({"wid": wid})], ["ok"], []
    for _ in range(rng.randint(1, 3)):
        job = workload.job(queue, payload.size(rng))
        pushed.append(job["jid"])
        lines += ["PUSH " + json.dumps(job), "FETCH " + queue]
        expected += ["ok", "job"]
    pipeline = Pipeline(history.now(), expected)
    history.pipelines.append(pipeline)
    given = []
    outcomes = []
    try:
        connection.send(*lines)
        connection.half_close()
        for _ in expected:
            try:
                reply = await connection.reply()
            except Refused:
                pipeline.replies.append("error")
                outcomes.append(REFUSED)
                continue
            outcomes.append(OK)
            if reply is None or not reply.startswith(b"{"):
                pipeline.replies.append("none" if reply is None else "ok")
                continue
            pipeline.replies.append("job")
            job = json.loads(reply)
            execution = Execution(job["jid"], history.now(), is_intact=payload.is_intact(job))
            history.executions.append(execution)
            given.append((job, execution))
    except (Unknown, Broken, OSError) as error:
        history.errors.append((history.now(), "pipeline", str(error)))
    pipeline.ended = history.now()
    # The replies come in order, so that those that are missing are the last ones.
    outcomes += [UNKNOWN] * (len(expected) - len(outcomes))
    for jid, outcome in zip(pushed, outcomes[1::2]):
        history.operations.append(Operation("push", jid, pipeline.began, pipeline.ended, outcome))
    return given


async def leave_unread(workload, number, rng):
    """Fetches a large job and never reads it; it goes away after a while, and the job belongs to somebody else."""
    queue = f"{UNREAD}-{number}"
    while workload.is_producing:
        wid = f"{queue}-{rng.getrandbits(32):08x}"
        try:
            host = rng.choice(workload.shape.hosts)
            connection = await Connection.open(host, wid, workload.shape.timeout, receive_buffer=4096)
        except Unreachable as error:
            workload.history.errors.append((workload.history.now(), "connect", str(error)))
            await asyncio.sleep(0.1)
            continue
        try:
            # A worker that never said that it lives would keep its job until its reservation ends.
            await connection.beat(wid)
            job = workload.job(queue, rng.randint(1_000_000, 4_000_000))
            await workload.record("push", job["jid"], connection.push(job))
            connection.send("FETCH " + queue)
            stays = workload.history.now() + rng.uniform(3.0, 15.0)
            while workload.is_producing and workload.history.now() < stays:
                await asyncio.sleep(0.2)
        except (Unknown, Refused) as error:
            workload.history.errors.append((workload.history.now(), "beat", str(error)))
        connection.close()
