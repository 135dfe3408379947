"""Faults that strike something particular that is under way: a command that takes long, or many large deliveries at once.

Each is a coroutine that does what is to be struck, strikes, and writes down what became of it. The load goes on meanwhile,
on queues of its own.
"""

import asyncio
import json
import random
import signal
import time

import payload
from client import Connection, Refused, Unknown, Unreachable
from cluster import HOSTS, NotCarriedOut, address
from history import OK, REFUSED, UNKNOWN, Deferred, Execution, Operation

# How long one command may take while leaders are replaced, and how long all of a scenario.
PATIENCE = 60.0
# Where the jobs are that a command is for.
DOOMED = "doomed"
# How many there are, so that a leader is busy with them for a while.
MANY = 30_000
# How many are pushed once the command is seen to do something.
FEW = 40
MANAGER_PORT = 7421


async def connected(host, wid=None):
    """A patient connection to a front, which may be about to come up."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return await Connection.open(address(host), wid, PATIENCE)
        except Unreachable:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.1)


async def push_all(connection, jobs, at_a_time):
    """Pushes many; every one of them is acknowledged when it returns."""
    for start in range(0, len(jobs), at_a_time):
        await connection.push_bulk(jobs[start : start + at_a_time])


class Doom:
    """A command for many jobs, and how far it is seen to have come."""

    def __init__(self, name, line, is_scheduled=False, is_for_all=False):
        self.name = name
        self.line = line
        self._is_scheduled = is_scheduled
        self.is_for_all = is_for_all

    def job(self, jid):
        job = {"jid": jid, "jobtype": "Doomed", "args": [], "queue": DOOMED, "retry": 25, "reserve_for": 600}
        return job | ({"at": "2100-01-01T00:00:00Z"} if self._is_scheduled else {})

    async def size(self, connection):
        """How many jobs there are of those that it is for; those that the load has scheduled are few."""
        state = (await connection.info())["faktory"]
        return state["sets"]["scheduled"] if self._is_scheduled else state["queues"].get(DOOMED, 0)

    async def gather(self, connection):
        """Brings what is left to where it can be fetched."""
        if self._is_scheduled:
            await connection.command("MUTATE " + json.dumps({"cmd": "requeue", "target": "scheduled", "filter": DOOMED_TYPE}))


DOOMED_TYPE = {"jobtype": "Doomed"}
DISCARD = "MUTATE " + json.dumps({"cmd": "discard", "target": "scheduled", "filter": DOOMED_TYPE})
DOOMS = {
    "flush": Doom("FLUSH", "FLUSH", is_for_all=True),
    "remove": Doom("QUEUE REMOVE", "QUEUE REMOVE " + DOOMED),
    "mutate": Doom("MUTATE", DISCARD, is_scheduled=True),
}


async def interrupt(cluster, leader, chance, history, doom):
    """The leader is killed while a command for many jobs is under way, or when it is done and its answer is lost."""
    asking, watching = chance.sample([host for host in HOSTS if host != leader], 2)
    asker, witness = await connected(asking), await connected(watching)
    mark = f"{doom.name.split()[-1].lower()}-{chance.getrandbits(24):06x}"
    jids = [f"{mark}-before-{number:06d}" for number in range(MANY)]
    await push_all(witness, [doom.job(jid) for jid in jids], 2_000)
    entry = Deferred(doom.name, jids, history.now(), is_for_all=doom.is_for_all)
    history.deferred.append(entry)
    loses_answer = chance.random() < 0.5
    if loses_answer:
        # What the leader is told arrives; what it says does not.
        rule = f"ip saddr {address(leader)} tcp sport {MANAGER_PORT} drop"
        await asyncio.to_thread(cluster.filter, asking, ("in", rule))
    entry.began = history.now()
    answer = asyncio.create_task(asker.command(doom.line))
    try:
        if not loses_answer:
            # Before it has begun, or in the midst of it.
            await asyncio.sleep(chance.uniform(0.0, 0.3))
            await asyncio.to_thread(cluster.kill, leader, ["manager"])
        await _see_effect(doom, witness, entry, history, answer)
        for number in range(FEW if entry.effect else 0):
            jid = f"{mark}-after-{number:06d}"
            await witness.push(doom.job(jid))
            entry.after.append(jid)
        if loses_answer:
            await asyncio.to_thread(cluster.kill, leader, ["manager"])
    finally:
        await asyncio.to_thread(cluster.unfilter, asking)
        try:
            await answer
            entry.outcome = OK
        except Refused:
            entry.outcome = REFUSED
        except Unknown:
            entry.outcome = UNKNOWN
        entry.ended = history.now()
    asker.close()
    await doom.gather(witness)
    entry.found = await _take_all(watching)
    witness.close()


async def _see_effect(doom, witness, entry, history, answer):
    """Waits until less is there than was."""
    most = await doom.size(witness)
    end = history.now() + PATIENCE
    while history.now() < end:
        size = await doom.size(witness)
        # The load schedules jobs, and has some done, meanwhile.
        if size < most - (500 if doom.name == "MUTATE" else 0):
            entry.effect = history.now()
            return
        if answer.done():
            # It was refused, or is done and about to be seen, or its connection broke: then it may still come.
            end = min(end, entry.began + PATIENCE / 2)
            if isinstance(answer.exception(), Refused):
                return
        most = max(most, size)
        await asyncio.sleep(0.002)


async def _take_all(host):
    """The ids of the jobs that a worker is given until there are none; it has them done."""
    wid = f"gatherer-{random.getrandbits(32):08x}"
    worker = await connected(host, wid)
    await worker.beat(wid)
    found = []
    while job := await worker.fetch([DOOMED]):
        found.append(job["jid"])
        await worker.acknowledge(job["jid"])
        # What is left of very many tells no more than what is left of some.
        if len(found) > 1_000:
            await worker.command("QUEUE REMOVE " + DOOMED)
    worker.close()
    return found


async def resume_large(cluster, leader, chance, history):
    """Paused queues of large jobs are resumed under waiting workers, right after the leader was replaced."""
    queue_count, jobs_each, length, worker_count = chance.choice([(10, 40, 1_500_000, 300), (3, 16, payload.LARGEST, 48)])
    queues = [f"large-{number}" for number in range(queue_count)]
    host = chance.choice(HOSTS)
    producer = await connected(host)
    await producer.command("QUEUE PAUSE " + " ".join(queues))
    mark = f"large-{chance.getrandbits(24):06x}"
    jids = []
    for number in range(queue_count * jobs_each):
        jid = f"{mark}-{number:05d}"
        job = {"jid": jid, "jobtype": "Large", "args": payload.arguments(number, length)}
        job |= {"queue": queues[number % queue_count], "retry": 25, "reserve_for": 600}
        if await _record(history, "push", jid, producer.push(job)) == OK:
            jids.append(jid)
    # Who leads now has none of these jobs at hand.
    await asyncio.to_thread(cluster.kill, leader, ["manager"])
    await asyncio.to_thread(cluster.leader)
    left = set(jids)
    workers = [asyncio.create_task(_take_large(host, number, queues, history, left)) for number in range(worker_count)]
    # So that most of them wait.
    await asyncio.sleep(2.0)
    await producer.command("QUEUE RESUME " + " ".join(queues))
    producer.close()
    end = history.now() + 120
    while left and history.now() < end:
        await asyncio.sleep(0.2)
    if left:
        history.refusals.append(f"{len(left)} of {len(jids)} large jobs of resumed queues were not done in 120 s")
        for worker in workers:
            worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def _take_large(host, number, queues, history, left):
    """Works until all are done; a connection that breaks is replaced by another worker's."""
    mine = queues[number % len(queues) :] + queues[: number % len(queues)]
    while left:
        wid = f"large-{number}-{random.getrandbits(32):08x}"
        execution = None
        try:
            worker = await connected(host, wid)
            await worker.beat(wid)
            while left:
                job = await worker.fetch(mine)
                if job is None:
                    continue
                execution = Execution(job["jid"], history.now(), is_intact=payload.is_intact(job))
                history.executions.append(execution)
                outcome = await _record(history, "ack", job["jid"], worker.acknowledge(job["jid"]))
                execution.ended = history.now()
                if outcome != OK:
                    execution.is_abandoned = True
                    break
                left.discard(job["jid"])
            worker.close()
        except (Unknown, Refused, Unreachable):
            continue


async def lose_second_connections(cluster, leader, chance, history):
    """Workers with two connections close one while the leader is replaced; none of them may lose its job for it."""
    host = chance.choice([host for host in HOSTS if host != leader])
    mark = f"kept-{chance.getrandbits(24):06x}"
    workers = []
    for number in range(12):
        wid, queue = f"{mark}-{number}", f"{mark}-{number}"
        keeps, leaves = await connected(host, wid), await connected(host, wid)
        # So that they are spread over the event loops of the front in more than one way.
        spare = await connected(host) if number % 2 else None
        jid = f"{mark}-job-{number}"
        job = {"jid": jid, "jobtype": "Kept", "args": [], "queue": queue, "retry": 25, "reserve_for": 600}
        await _record(history, "push", jid, keeps.push(job))
        await keeps.beat(wid)
        if await keeps.fetch([queue]) is None:
            raise NotCarriedOut(f"{jid} was pushed and could not be fetched")
        execution = Execution(jid, history.now())
        history.executions.append(execution)
        workers.append((wid, queue, jid, keeps, leaves, spare, execution))
    await asyncio.to_thread(cluster.signal, leader, signal.SIGSTOP, ["manager"])
    for _, _, _, _, leaves, spare, _ in workers:
        leaves.close()
        if spare:
            spare.close()
    await asyncio.sleep(0.2)
    await asyncio.to_thread(cluster.kill, leader, ["manager"])
    # Longer than a worker is waited for that has no connection any more, and the next look after that.
    end = history.now() + 26.0
    thief = await connected(host, f"{mark}-thief")
    while history.now() < end:
        for wid, _, jid, keeps, _, _, _ in workers:
            try:
                await keeps.beat(wid)
            except Refused as error:
                history.refusals.append(f"the BEAT of a worker that is connected and has {jid}: {error}")
                end = 0
        stolen = await thief.fetch([queue for _, queue, *_ in workers])
        if stolen:
            history.executions.append(Execution(stolen["jid"], history.now(), history.now(), is_abandoned=True))
    thief.close()
    for _, _, jid, keeps, _, _, execution in workers:
        outcome = await _record(history, "ack", jid, keeps.acknowledge(jid))
        execution.ended = history.now()
        execution.is_abandoned = outcome != OK
        keeps.close()


async def _record(history, kind, jid, command):
    """Waits for a command, and writes its outcome down."""
    began, outcome = history.now(), OK
    try:
        await command
    except Refused:
        outcome = REFUSED
    except Unknown:
        outcome = UNKNOWN
    history.operations.append(Operation(kind, jid, began, history.now(), outcome))
    return outcome
