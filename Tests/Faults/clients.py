"""Runs the scenarios of the Python clients against a cluster whose processes are killed one after the other.

    clients.py --program PATH --rounds N plain|secured

Each connection of a client is led to a random front, as a load balancer would. Every ten seconds a process is killed. What
holds a client's connection is its front: a client whose own front is killed under it has lost the connection, which none
of these clients survives; its scenario is run again, and counted.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
from dataclasses import dataclass

from cluster import HOSTS, ROOT, Cluster, NotCarriedOut, address

PORT = 7419
# How often a process is killed, in seconds.
INTERVAL = 10.0
# How long one scenario may take, in seconds.
LIMIT = 60.0
# How often a scenario is run whose own front was killed.
TRIES = 3

PYFAKTORY, FAKTORY = "run_pyfaktory.py", "run_faktory.py"
PLAIN = [
    *((PYFAKTORY, name) for name in ("push_and_work", "fail_and_retry", "schedule", "heartbeat", "queues", "consumer")),
    *((FAKTORY, name) for name in ("work", "states")),
    *((script, "connect") for script in (PYFAKTORY, FAKTORY)),
]
SECURED = [(script, name) for script in (PYFAKTORY, FAKTORY) for name in ("connect", "wrong_password")]
PASSWORD, WRONG_PASSWORD = "open-sesame", "sesame"


@dataclass
class Victim:
    """A process that can be killed: what it does, and on which host."""

    role: str
    host: int


class Balancer:
    """Leads each connection to a front that takes it, any of them."""

    def __init__(self, chance):
        self._chance = chance
        # The hosts whose fronts have connections, and those of them that were killed meanwhile.
        self.hosts = []
        self.interrupted = False

    async def start(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    def note_killed_front(self, host):
        if host in self.hosts:
            self.interrupted = True

    async def _serve(self, reader, writer):
        for host in self._chance.sample(HOSTS, len(HOSTS)):
            try:
                there = await asyncio.wait_for(asyncio.open_connection(address(host), PORT), 1.0)
            except (OSError, asyncio.TimeoutError):
                continue
            self.hosts.append(host)
            try:
                await asyncio.gather(self._copy(reader, there[1]), self._copy(there[0], writer))
            finally:
                self.hosts.remove(host)
            return
        writer.close()

    @staticmethod
    async def _copy(reader, writer):
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except OSError:
            # Either side has broken off, which the other is told below.
            return
        finally:
            writer.close()


class Killer:
    """Kills one process of the cluster after the other, each role before any comes again."""

    def __init__(self, cluster, balancer, chance):
        self._cluster = cluster
        self._balancer = balancer
        self._chance = chance
        self.count = 0

    async def run(self):
        while True:
            leader = await asyncio.to_thread(self._cluster.leader)
            victims = [Victim(role, leader) for role in ("manager", "redis")]
            follower = self._chance.choice([host for host in HOSTS if host != leader])
            victims += [Victim(role, follower) for role in ("manager", "redis")]
            victims += [Victim(role, self._chance.choice(HOSTS)) for role in ("front", "scheduler", "etcd")]
            self._chance.shuffle(victims)
            for victim in victims:
                # The pace is the test's.
                await asyncio.sleep(INTERVAL)
                if victim.role == "front":
                    self._balancer.note_killed_front(victim.host)
                await asyncio.to_thread(self._cluster.kill, victim.host, [victim.role])
                self.count += 1
                print(f"killed: {victim.role} of host {victim.host}", file=sys.stderr, flush=True)
                # An etcd has no supervisor here.
                await asyncio.to_thread(self._cluster.start, victim.host)


async def flush(script, url):
    """Empties the server, which every scenario expects, by the client itself."""
    program = {
        PYFAKTORY: "from pyfaktory import Client\nwith Client(role='producer') as client: client._flush()",
        FAKTORY: "import faktory\nwith faktory.connection() as c: c.faktory.reply('FLUSH'); next(c.faktory.get_message())",
    }[script]
    for _ in range(TRIES):
        is_good, output = await run(["-c", program], url)
        if is_good:
            return
    raise NotCarriedOut(f"the server could not be emptied: {output}")


async def run(arguments, url):
    """Whether a Python program ended well, and what it said."""
    environment = os.environ | {"FAKTORY_URL": url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), LIMIT)
    except asyncio.TimeoutError:
        process.kill()
        return False, f"it did not end within {LIMIT} s"
    return process.returncode == 0, output.decode(errors="replace")


async def play(options):
    chance = random.Random(options.seed)
    cluster = Cluster(options.program)
    balancer = Balancer(chance)
    killer = Killer(cluster, balancer, chance)
    port = await balancer.start()
    killing = asyncio.create_task(killer.run())
    passed = failed = repeated = 0
    for script, name in options.rounds * (PLAIN if options.kind == "plain" else SECURED):
        password = WRONG_PASSWORD if name == "wrong_password" else PASSWORD
        secured = f"tcp+tls://:{{}}@127.0.0.1:{port}"
        url, right = f"tcp://127.0.0.1:{port}", f"tcp://127.0.0.1:{port}"
        if options.kind == "secured":
            url, right = secured.format(password), secured.format(PASSWORD)
        for tried in range(1, TRIES + 1):
            balancer.interrupted = False
            await flush(script, right)
            is_good, output = await run(["-u", os.path.join(ROOT, "Tests", "Integration", "python", script), name], url)
            if is_good or not balancer.interrupted or tried == TRIES:
                break
            repeated += 1
        passed += is_good
        failed += not is_good
        if not is_good:
            print(f"FAILED: {script} {name}:\n{output}", file=sys.stderr, flush=True)
        if killing.done():
            killing.result()
    killing.cancel()
    print(f"{killer.count} processes were killed; {repeated} scenarios were run again, whose own front it was")
    print(f"{passed} passed, {failed} failed", flush=True)
    return failed == 0


def main():
    parser = argparse.ArgumentParser(prog="scripts/clients-under-kills", description=__doc__)
    parser.add_argument("kind", choices=["plain", "secured"])
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    sys.exit(0 if asyncio.run(play(parser.parse_args())) else 1)


if __name__ == "__main__":
    main()
