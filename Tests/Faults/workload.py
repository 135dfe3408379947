"""Producers and workers that keep a cluster busy, and write down what they are told."""

import asyncio
import random
from dataclasses import dataclass

from client import Connection, Refused, Unknown, Unreachable
from history import OK, REFUSED, UNKNOWN, Execution, Operation

QUEUES = ["critical", "default", "bulk"]


@dataclass
class Shape:
    """How much of what."""

    hosts: list
    rate: float = 200.0
    producers: int = 10
    workers: int = 20
    fail_share: float = 0.05
    die_share: float = 0.01
    schedule_share: float = 0.05
    timeout: float = 5.0


class Workload:
    """Runs until it is told to stop, and then until the cluster is empty."""

    def __init__(self, shape, history, seed):
        self.shape = shape
        self.history = history
        self._random = random.Random(seed)
        self._next = 0
        self._is_producing = True
        self._is_working = True
        self._tasks = []

    def start(self):
        for number in range(self.shape.producers):
            self._tasks.append(asyncio.create_task(self._produce(random.Random(self._random.random()))))
        for number in range(self.shape.workers):
            self._tasks.append(asyncio.create_task(self._work(number, random.Random(self._random.random()))))

    async def drain(self, within):
        """Stops producing, lets the workers finish everything, and says whether nothing is left."""
        self._is_producing = False
        deadline = self.history.now() + within
        is_empty = False
        while not is_empty and self.history.now() < deadline:
            is_empty = await self._hurry()
            await asyncio.sleep(0.25)
        self._is_working = False
        await asyncio.gather(*self._tasks)
        return is_empty

    async def _connect(self, rng, wid=None):
        """A connection to any front; tries until there is one, None when the run is over."""
        while self._is_working:
            try:
                return await Connection.open(rng.choice(self.shape.hosts), wid, self.shape.timeout)
            except Unreachable as error:
                self.history.errors.append((self.history.now(), "connect", str(error)))
                await asyncio.sleep(0.1)
        return None

    async def _record(self, kind, jid, command):
        """Runs a command, and writes its outcome down."""
        began = self.history.now()
        outcome, message = OK, ""
        try:
            await command
        except Refused as error:
            outcome, message = REFUSED, str(error)
        except Unknown as error:
            outcome, message = UNKNOWN, str(error)
        ended = self.history.now()
        self.history.operations.append(Operation(kind, jid, began, ended, outcome))
        if outcome != OK:
            self.history.errors.append((ended, kind, message))
        return outcome

    async def _produce(self, rng):
        interval = self.shape.producers / self.shape.rate
        connection = await self._connect(rng)
        while self._is_producing and connection:
            due = self.history.now() + rng.uniform(0.5, 1.5) * interval
            self._next += 1
            jid = f"job-{self._next:09d}"
            job = {"jid": jid, "jobtype": "Work", "args": [self._next], "queue": rng.choice(QUEUES)}
            job |= {"retry": 25, "reserve_for": 600}
            if rng.random() < self.shape.schedule_share:
                job["at"] = "2000-01-01T00:00:00Z" if rng.random() < 0.5 else "2100-01-01T00:00:00Z"
            # A push whose answer did not come is not repeated, so that each job is pushed at the most once.
            if await self._record("push", jid, connection.push(job)) == UNKNOWN:
                connection.close()
                connection = await self._connect(rng)
                if connection is None:
                    return
            await asyncio.sleep(max(0.0, due - self.history.now()))
        if connection:
            connection.close()

    async def _work(self, number, rng):
        while self._is_working:
            wid = f"worker-{number}-{rng.getrandbits(32):08x}"
            connection = await self._connect(rng, wid)
            if connection is None:
                return
            await self._work_on(connection, wid, rng)
            connection.close()

    async def _work_on(self, connection, wid, rng):
        """Works until the connection breaks, the worker dies, or the run is over."""
        beat = self.history.now() + 10
        while self._is_working:
            try:
                if self.history.now() > beat:
                    beat = self.history.now() + 10
                    await connection.beat(wid)
                job = await connection.fetch(QUEUES)
            except (Unknown, Refused) as error:
                self.history.errors.append((self.history.now(), "fetch", str(error)))
                return
            if job is None:
                continue
            execution = Execution(job["jid"], self.history.now())
            self.history.executions.append(execution)
            await asyncio.sleep(rng.expovariate(100) if rng.random() < 0.98 else 1.0)
            if rng.random() < self.shape.die_share:
                execution.is_abandoned = True
                return
            kind = "fail" if rng.random() < self.shape.fail_share else "ack"
            command = connection.fail(job["jid"]) if kind == "fail" else connection.acknowledge(job["jid"])
            outcome = await self._record(kind, job["jid"], command)
            execution.ended = self.history.now()
            if outcome == UNKNOWN:
                execution.is_abandoned = True
                return

    async def _hurry(self):
        """Brings forward what would wait, and says whether nothing is left."""
        rng = random.Random()
        connection = await self._connect(rng)
        if connection is None:
            return False
        try:
            await connection.requeue("retries")
            await connection.requeue("scheduled")
            state = await connection.info()
        except (Refused, Unknown):
            return False
        finally:
            connection.close()
        sets = state["faktory"]["sets"]
        held = [sets["retries"], sets["scheduled"], sets["working"], state["faktory"]["total_enqueued"]]
        return not any(held)
