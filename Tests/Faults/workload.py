"""Producers and workers that keep a cluster busy, and write down what they are told."""

import asyncio
import random
import secrets
from dataclasses import dataclass

import odd
import payload
from client import Broken, Connection, Refused, Unknown, Unreachable
from history import OK, REFUSED, UNKNOWN, Execution, Operation

QUEUES = ["critical", "default", "bulk"]
# The queue of the jobs that lie there all the while; nobody works on them.
BACKLOG = "backlog"
# How many of the producers push large jobs at a time when such are wanted.
HEAVY_PRODUCERS = 2


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
    # How long a client stays with a front, on the average, in seconds. Otherwise all of them would stay with the one that
    # was there first after the last fault.
    stay: float = 5.0
    # Whether a client whose connection breaks connects anew and sends its command once more, as those of Ruby and Rust do.
    resends: bool = False
    # How many clients half-close their connections, and how many do not read what they asked for.
    half_closers: int = 2
    unread: int = 2
    # How many jobs lie there all the while; see `backlog`.
    backlog: int = 0
    # How long the server waits for a worker that has no connection any more.
    release_after: float = 8.0


class Client:
    """One command under way, over a connection to any front; a new one when that is gone."""

    # How long a client waits that found no front.
    PATIENCE = 0.1

    def __init__(self, workload, rng, wid=None):
        self._shape = workload.shape
        self._history = workload.history
        self._is_over = lambda: not workload.is_working
        self._rng = rng
        self._wid = wid
        self._connection = None
        self._leaves = 0.0

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    async def run(self, command, repeating=lambda: None):
        """Runs a command on a connection; `repeating` is called each time before it is sent again."""
        deadline = self._history.now() + self._shape.timeout
        while True:
            connection = await self._connected()
            if connection is None:
                raise Unreachable("the run is over")
            try:
                return await command(connection)
            except Broken:
                self.close()
                if not self._shape.resends or self._history.now() > deadline:
                    raise
                self._history.reconnections.append(self._history.now())
                repeating()
            except Unknown:
                self.close()
                raise

    async def _connected(self):
        """A connection that has not ended; tries until there is one, None when the run is over."""
        if self._connection and self._connection.has_ended:
            self._history.reconnections.append(self._history.now())
            self.close()
        # A worker stays as long as it has that name.
        if self._connection and self._wid is None and self._history.now() > self._leaves:
            self.close()
        began = self._history.now()
        while self._connection is None and not self._is_over():
            try:
                host = self._rng.choice(self._shape.hosts)
                self._connection = await self._open(host)
                self._leaves = self._history.now() + self._rng.expovariate(1 / self._shape.stay)
            except Unreachable as error:
                now = self._history.now()
                if not self._shape.resends:
                    self._history.errors.append((now, "connect", str(error)))
                elif now - began > self._shape.timeout:
                    self._history.errors.append((now, "connect", "no front in time"))
                    began = now
                else:
                    self._history.reconnections.append(now)
                await asyncio.sleep(self.PATIENCE)
        return self._connection

    async def _open(self, host):
        """A worker beats on each of its connections: with fewer BEATs than those it may be a client that connects anew for
        each command, which keeps its job until its reservation ends.
        """
        connection = await Connection.open(host, self._wid, self._shape.timeout)
        if self._wid is None:
            return connection
        try:
            await connection.beat(self._wid)
        except (Unknown, Refused) as error:
            connection.close()
            raise Unreachable(str(error)) from error
        return connection


class Workload:
    """Runs until it is told to stop, and then until the cluster is empty."""

    def __init__(self, shape, history, seed):
        self.shape = shape
        self.history = history
        self._random = random.Random(seed)
        # The server remembers for two minutes which jobs were done, and would not run one of the run before again.
        self._mark = secrets.token_hex(3)
        self._next = 0
        self.is_producing = True
        self.is_working = True
        # Whether some producers push jobs as large as they may be, one after the other.
        self.is_heavy = False
        self._queues = QUEUES
        self._tasks = []

    def start(self):
        for number in range(self.shape.producers):
            self._tasks.append(asyncio.create_task(self._produce(number, random.Random(self._random.random()))))
        for number in range(self.shape.workers):
            self._tasks.append(asyncio.create_task(self._work(number, random.Random(self._random.random()))))
        for number in range(self.shape.half_closers):
            self._tasks.append(asyncio.create_task(odd.half_close(self, number, random.Random(self._random.random()))))
        for number in range(self.shape.unread):
            self._tasks.append(asyncio.create_task(odd.leave_unread(self, number, random.Random(self._random.random()))))

    def job(self, queue, length):
        """A new job with a body of this length."""
        self._next += 1
        jid = f"job-{self._mark}-{self._next:06d}"
        job = {"jid": jid, "jobtype": "Work", "args": payload.arguments(self._next, length), "queue": queue}
        return job | {"retry": 25, "reserve_for": 600}

    async def drain(self, within):
        """Stops producing, lets the workers finish everything, and says whether nothing is left."""
        self.is_producing = False
        half_closed = [f"{odd.HALF_CLOSED}-{number}" for number in range(self.shape.half_closers)]
        self._queues = QUEUES + half_closed + [f"{odd.UNREAD}-{number}" for number in range(self.shape.unread)]
        deadline = self.history.now() + within
        is_empty = False
        while not is_empty and self.history.now() < deadline:
            is_empty = await self._hurry()
            # Workers do the rest meanwhile.
            await asyncio.sleep(0.25)
        self.is_working = False
        await asyncio.gather(*self._tasks)
        return is_empty

    async def record(self, kind, jid, command):
        """Waits for a command that was begun, and writes its outcome down."""
        began = self.history.now()
        outcome = OK
        try:
            await command
        except Refused:
            outcome = REFUSED
        except Unknown:
            outcome = UNKNOWN
        self.history.operations.append(Operation(kind, jid, began, self.history.now(), outcome))
        return outcome

    async def finish(self, jid, execution, wid, rng, left):
        """Acknowledges a job over a new connection of the worker that was given it, and has had none since it `left`."""
        client = Client(self, rng, wid)
        outcome = await self._record("ack", jid, client, lambda connection: connection.acknowledge(jid))
        execution.ended = self.history.now()
        # Without a connection for so long it counts as gone.
        execution.is_abandoned = outcome == UNKNOWN or execution.ended - left > self.shape.release_after
        client.close()

    async def _record(self, kind, jid, client, command):
        """Runs a command, and writes its outcome down."""
        began = self.history.now()
        outcome, message = OK, ""
        is_repeated = False

        def repeating():
            nonlocal is_repeated
            is_repeated = True
            if kind == "push":
                self.history.repeats.append(jid)

        try:
            await client.run(command, repeating)
        except Refused as error:
            # What is repeated may have been done the first time: a FAIL then finds no job.
            outcome, message = UNKNOWN if is_repeated and kind == "fail" else REFUSED, str(error)
        except (Unknown, Unreachable) as error:
            outcome, message = UNKNOWN, str(error)
        ended = self.history.now()
        self.history.operations.append(Operation(kind, jid, began, ended, outcome))
        if outcome != OK:
            self.history.errors.append((ended, kind, message))
        return outcome

    async def _produce(self, number, rng):
        interval = self.shape.producers / self.shape.rate
        client = Client(self, rng)
        due = self.history.now()
        while self.is_producing:
            # A producer that was held up catches up, but not with more than a second of it.
            due = max(due + rng.uniform(0.5, 1.5) * interval, self.history.now() - 1.0)
            is_heavy = self.is_heavy and number < HEAVY_PRODUCERS
            await asyncio.sleep(0.0 if is_heavy else max(0.0, due - self.history.now()))
            job = self.job(rng.choice(QUEUES), payload.large(rng) if is_heavy else payload.size(rng))
            if rng.random() < self.shape.schedule_share:
                job["at"] = "2000-01-01T00:00:00Z" if rng.random() < 0.5 else "2100-01-01T00:00:00Z"
            # A push whose answer did not come in time is not repeated.
            await self._record("push", job["jid"], client, lambda connection, job=job: connection.push(job))
        client.close()

    async def _work(self, number, rng):
        while self.is_working:
            wid = f"worker-{number}-{rng.getrandbits(32):08x}"
            client = Client(self, rng, wid)
            await self._work_with(client, wid, rng)
            client.close()

    async def _work_with(self, client, wid, rng):
        """Works until the worker's command fails, it dies, leaves, or the run is over."""
        now = self.history.now()
        beat, leaves = now + 10, now + rng.expovariate(1 / self.shape.stay)
        while self.is_working and self.history.now() < leaves:
            try:
                if self.history.now() > beat:
                    beat = self.history.now() + 10
                    await client.run(lambda connection: connection.beat(wid))
                job = await client.run(lambda connection: connection.fetch(self._queues))
            except (Unknown, Refused) as error:
                self.history.errors.append((self.history.now(), "fetch", str(error)))
                return
            except Unreachable:
                return
            if job is None:
                continue
            jid = job["jid"]
            execution = Execution(jid, self.history.now(), is_intact=payload.is_intact(job))
            self.history.executions.append(execution)
            # Most jobs are short, a few take long.
            await asyncio.sleep(rng.expovariate(100) if rng.random() < 0.98 else 1.0)
            if rng.random() < self.shape.die_share:
                execution.is_abandoned = True
                return
            if rng.random() < self.shape.fail_share:
                outcome = await self._record("fail", jid, client, lambda connection: connection.fail(jid))
            else:
                outcome = await self._record("ack", jid, client, lambda connection: connection.acknowledge(jid))
            execution.ended = self.history.now()
            if outcome == UNKNOWN:
                execution.is_abandoned = True
                return

    async def _hurry(self):
        """Brings forward what would wait, and says whether nothing is left."""
        client = Client(self, random.Random())
        try:
            await client.run(lambda connection: connection.requeue("retries"))
            await client.run(lambda connection: connection.requeue("scheduled"))
            # What three workers died of waits there.
            await client.run(lambda connection: connection.requeue("dead"))
            state = await client.run(lambda connection: connection.info())
        except (Refused, Unknown, Unreachable):
            return False
        finally:
            client.close()
        sets = state["faktory"]["sets"]
        backlog = state["faktory"]["queues"].get(BACKLOG, 0)
        self.history.backlog = (self.shape.backlog, backlog)
        enqueued = state["faktory"]["total_enqueued"] - backlog
        return not any([sets["retries"], sets["scheduled"], sets["dead"], sets["working"], enqueued])
