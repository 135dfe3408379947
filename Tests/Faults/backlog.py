"""Jobs that lie there from the start, and that nobody works on: what there is must not matter to what is done."""

import asyncio
import sys
from dataclasses import dataclass

import payload
from client import Connection
from workload import BACKLOG

# How many jobs, and how many bytes, are pushed at a time.
MOST_JOBS = 1_000
MOST_BYTES = 4_000_000
# What a job of the backlog has in its body when only the bytes of all were said.
LENGTH = 400_000


def is_part(jid):
    """Whether a job is one of them."""
    return jid.startswith(f"{BACKLOG}-")


@dataclass
class Backlog:
    """So many jobs of this length each."""

    count: int
    length: int

    @classmethod
    def of(cls, count, total):
        """So many that are so large together; either may be left to us by saying zero."""
        if count == 0:
            return cls(total // LENGTH, LENGTH)
        return cls(count, total // count)

    async def push(self, hosts):
        """Pushes all of them through all fronts."""
        print(f"pushing {self.count:,} jobs of {self.length:,} bytes that stay", file=sys.stderr, flush=True)
        at_a_time = max(1, min(MOST_JOBS, MOST_BYTES // max(self.length, 1)))
        starts = iter(range(0, self.count, at_a_time))
        await asyncio.gather(*(self._push(host, starts, at_a_time) for host in hosts))

    async def _push(self, host, starts, at_a_time):
        connection = await Connection.open(host, timeout=120.0)
        for start in starts:
            numbers = range(start, min(start + at_a_time, self.count))
            await connection.push_bulk([self._job(number) for number in numbers])
        connection.close()

    def _job(self, number):
        arguments = payload.arguments(number, self.length) if self.length else [number]
        return {"jid": f"{BACKLOG}-{number:09d}", "jobtype": "Backlog", "args": arguments, "queue": BACKLOG}
