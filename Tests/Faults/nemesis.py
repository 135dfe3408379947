"""The faults: what is done to which host, and how it is undone.

Each fault is a function of the cluster, the host that is struck and a source of chance. It strikes, and returns what
heals. The numbers are those of docs/reliability.md.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Callable

import scenarios
from cluster import DEAF, HOSTS, MUTE, REDIS, NotCarriedOut, address

ETCD_PORTS = "{ 2379, 2380 }"
REPLICATION_PORT = "7423"
MANAGER_PORT = "7421"
REDIS_PORT = "6379"
# What a log grows by, from one look to the next, while something large is being written into it.
LARGE_WRITE = 1 << 16


@dataclass(frozen=True)
class Fault:
    """A fault that can be asked for by its name."""

    name: str
    strike: Callable
    # Whom it strikes: the host that leads, one that follows, or whichever comes.
    target: str = "leader"
    leaves_minority: bool = False
    # Whether it takes away what `durability = "memory"` promises nothing about.
    needs_durability: bool = False
    # How long it lasts, in seconds.
    shortest: float = 2.0
    longest: float = 5.0
    # Whether large jobs are being pushed when it strikes.
    is_heavy: bool = False
    # Whether it takes away the jobs of everybody.
    spares_nothing: bool = False


def killing(*roles):
    """Ends processes; whoever supervises them, or the healing, starts them again."""

    def strike(cluster, host, chance):
        cluster.kill(host, roles or None)
        return lambda: cluster.start(host)

    return strike


def pausing(*roles):
    """Stops processes, which later go on as if nothing had been."""

    def strike(cluster, host, chance):
        cluster.pause(host, roles or None)
        return lambda: cluster.resume(host, roles or None)

    return strike


def dropping(*rules):
    """Makes a host drop packets."""

    def strike(cluster, host, chance):
        cluster.filter(host, *rules)
        return lambda: cluster.unfilter(host)

    return strike


def isolating_from_one(cluster, host, chance):
    """The host and one other no longer hear each other; the third hears both."""
    other = chance.choice([other for other in HOSTS if other != host])
    cluster.filter(host, ("in", f"ip saddr {address(other)} drop"), ("out", f"ip daddr {address(other)} drop"))
    return lambda: cluster.unfilter(host)


def flapping(cluster, host, chance):
    """The network comes and goes, every 50 to 500 milliseconds for three seconds."""
    end = time.monotonic() + 3
    while time.monotonic() < end:
        cluster.filter(host, *ALL)
        # How long it is away, and how long it is there, is the fault.
        time.sleep(chance.uniform(0.05, 0.5))
        cluster.unfilter(host)
        time.sleep(chance.uniform(0.05, 0.5))
    return lambda: None


def killing_a_majority(cluster, host, chance):
    """Two of three hosts lose their power: nobody may acknowledge anything."""
    others = [other for other in HOSTS if other != host]
    for other in others:
        cluster.kill(other)

    def heal():
        for other in others:
            cluster.start(other)

    return heal


def killing_all(cluster, host, chance):
    """Every host loses its power at once."""
    for other in HOSTS:
        cluster.kill(other)

    def heal():
        for other in HOSTS:
            cluster.start(other)

    return heal


def losing_power(cluster, host, chance):
    """A host falls silent, and what it had not synced is gone."""
    cluster.cut_power(host)

    def heal():
        cluster.restore_power(host)
        # What is synced once a second ends anywhere, and Redis starts with no log that has such an end.
        if not cluster.syncs_each_batch:
            replacing_if_need_be(cluster, host)

    return heal


def losing_all_power(cluster, host, chance):
    """The same of all hosts at once."""
    cluster.cut_power(*HOSTS)
    return lambda: cluster.restore_power(*HOSTS)


def filling_the_disk(cluster, host, chance):
    """Nothing can be written any more on a host."""
    cluster.fill_disk(host)

    def heal():
        cluster.clear_disk(host)
        # An etcd that could not write has ended.
        cluster.start(host)

    return heal


def replacing_if_need_be(cluster, host):
    """Gives a host an empty storage directory, as docs/operations.md says, unless it gets a vote without it."""
    if cluster.becomes_whole(host, within=15.0):
        return
    cluster.end(host)
    cluster.wipe(host)
    cluster.start(host)


def log_files(cluster, host):
    """The files of the append-only log of a host that have anything in them, the newest last."""
    folder = cluster.folder(host, "data", "millrace-aof")
    paths = [os.path.join(folder, name) for name in os.listdir(folder) if not name.endswith(".manifest")]
    paths = sorted((path for path in paths if os.path.getsize(path) > 0), key=os.path.getmtime)
    if not paths:
        raise NotCarriedOut(f"there is no log to be damaged: {os.listdir(folder)}")
    return paths


def cutting_the_log(cluster, host, chance):
    """While a host is down, the end of its log goes missing."""
    cluster.end(host)
    path = log_files(cluster, host)[-1]
    os.truncate(path, os.path.getsize(path) - min(os.path.getsize(path), chance.randint(1, 200)))
    cluster.start(host)
    return lambda: replacing_if_need_be(cluster, host)


def flipping_bits(cluster, host, chance):
    """While a host is down, some bits of its log change."""
    cluster.end(host)
    path = chance.choice(log_files(cluster, host))
    with open(path, "r+b") as file:
        for _ in range(chance.randint(1, 5)):
            place = chance.randrange(os.path.getsize(path))
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ 1 << chance.randrange(8)]))
    cluster.start(host)
    return lambda: replacing_if_need_be(cluster, host)


def losing_the_log(cluster, host, chance):
    """While a host is down, the files of its log go missing, but not what says that they were whole."""
    cluster.end(host)
    for path in log_files(cluster, host):
        os.unlink(path)
    cluster.start(host)
    return lambda: replacing_if_need_be(cluster, host)


def emptying(cluster, host, chance):
    """A host is replaced by an empty one with its number; the etcd on it stays."""
    cluster.end(host)
    cluster.wipe(host)
    cluster.start(host)
    return lambda: None


def killing_while_copying(cluster, host, chance):
    """Redis and the manager of a follower are killed while they take in a whole copy, or write it into the log."""
    if not any(killed_while_copying(cluster, host, chance) for _ in range(5)):
        raise NotCarriedOut("no copy was under way when a follower was to be killed")
    return lambda: cluster.start(host)


def killed_while_copying(cluster, host, chance):
    """Lets a follower begin a copy, and kills it at any time of that; says whether it was in time."""
    cluster.kill(host, ["redis"])
    path = cluster.folder(host, "data", "millrace-member")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if is_copying(path):
            # Anywhere between the copy's beginning and the end of the log's rewriting.
            time.sleep(chance.uniform(0.0, 0.15))
            cluster.kill(host, ["redis", "manager"])
            return is_copying(path)
        # The copy of a small data set is over soon.
        time.sleep(0.001)
    return False


def is_copying(path):
    """Whether a member has noted that its data is not whole."""
    try:
        with open(path) as file:
            return "clean 0" in file.read()
    except OSError:
        return False


def setting_the_clock(cluster, host, chance):
    """The clock of a host that leads jumps an hour ahead, two hours back, and is right again while another leads."""
    cluster.set_clock(host, "+0")
    cluster.script("upgrade", host, FAKED_CLOCK="yes")
    cluster.transfer(host)
    offsets = ["+3600", "-3600"]
    chance.shuffle(offsets)
    for offset in offsets:
        cluster.set_clock(host, offset)
        # Long enough for everything that happens every second or two to happen with that clock.
        time.sleep(chance.uniform(2.0, 4.0))
    return lambda: cluster.script("upgrade", host)


def slowing(cluster, host, chance):
    """What a host sends and is sent takes 50 to 250 milliseconds each way."""
    delay = chance.uniform(0.05, 0.25)
    command = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "wire.py"), str(host), str(delay)]
    wire = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if wire.stdout.readline().strip() != "forwarding":
        raise NotCarriedOut("the network of a host could not be slowed down")

    def heal():
        # It ends, and puts everything back, when its input does.
        wire.stdin.close()
        wire.wait()

    return heal


def losing_packets(cluster, host, chance):
    """1 to 20 of a hundred packets do not arrive, in either direction."""
    share = chance.randint(1, 20)
    lottery = f'!= "lo" numgen random mod 100 < {share} drop'
    cluster.filter(host, ("in", "iifname " + lottery), ("out", "oifname " + lottery))
    return lambda: cluster.unfilter(host)


def leaving_half_open(cluster, host, chance):
    """A host ends without a word: the others' connections to it stay open until somebody sends something."""
    cluster.filter(host, DEAF, MUTE)
    cluster.end(host)

    def heal():
        cluster.unfilter(host)
        cluster.start(host)

    return heal


def writing_alone(cluster, host, chance):
    """The leader is cut from replication, and dies some time after."""
    cluster.filter(host, *REPLICATION)
    # Shorter than a leader tries to be confirmed, and longer.
    time.sleep(chance.uniform(0.5, 3.0))
    cluster.end(host)

    def heal():
        cluster.unfilter(host)
        cluster.start(host)

    return heal


def two_at_a_time(cluster, host, chance):
    """A fault strikes while another lasts; a majority of the hosts stays whole."""
    first = chance.choice([fault for fault in FAULTS if fault.name.split()[0] in FIRST_OF_TWO])
    second = chance.choice([fault for fault in FAULTS if fault.name.split()[0] in SECOND_OF_TWO])
    heals = []
    for fault in (first, second):
        heals.append(fault.strike(cluster, chance.choice(HOSTS), chance))
        time.sleep(chance.uniform(0.0, 1.0))

    def heal():
        chance.shuffle(heals)
        for one in heals:
            one()

    return heal


def pausing_all(*roles):
    """Stops the same processes of every host: nothing moves until they go on."""

    def strike(cluster, host, chance):
        for other in HOSTS:
            cluster.pause(other, roles or None)

        def heal():
            for other in HOSTS:
                cluster.resume(other, roles or None)

        return heal

    return strike


def killing_while_writing(*, everywhere):
    """Redis is killed while it writes a large job into its log."""

    def strike(cluster, host, chance):
        # Asking for them takes longer than such a write does.
        pids = [pid for other in (HOSTS if everywhere else [host]) for pid in cluster.role(other, "redis")]
        path = cluster.growing_log(host)
        size = os.path.getsize(path)
        deadline = time.monotonic() + 20
        while (now := os.path.getsize(path)) - size < LARGE_WRITE:
            size = now
            if time.monotonic() > deadline:
                raise NotCarriedOut("nothing large was written into a log that was watched for 20 s")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        if host == REDIS:
            cluster.end(REDIS)
        return lambda: cluster.start(host)

    return strike


def filling_etcd(cluster, host, chance):
    """Nothing can be written into etcd any more."""
    cluster.fill_etcd(host)
    return cluster.clear_etcd


def filling_etcd_and_killing(cluster, host, chance):
    """The same, and the leader's manager ends: nobody can be elected until there is room."""
    cluster.fill_etcd(host)
    cluster.kill(host, ["manager"])
    return cluster.clear_etcd


def emptying_etcd(cluster, host, chance):
    """Everything that etcd knew is gone."""
    cluster.empty_etcd()
    return lambda: None


def playing(scenario, *arguments):
    """A scenario that strikes by itself."""

    def strike(cluster, host, chance):
        try:
            asyncio.run(scenario(cluster, host, chance, cluster.history, *arguments))
        except (scenarios.Unknown, scenarios.Refused, scenarios.Unreachable) as error:
            raise NotCarriedOut(f"{type(error).__name__}: {error}") from error
        return lambda: None

    return strike


def interrupting(name):
    """A leader is replaced while a command is under way that takes long."""
    return playing(scenarios.interrupt, scenarios.DOOMS[name])


def of_redis(strike):
    """What else is done to a host is done to the Redis of shared mode."""
    return lambda cluster, host, chance: strike(cluster, REDIS, chance)


def ending_redis(cluster, host, chance):
    """The Redis of shared mode ends, and begins again with what it had written."""
    cluster.end(REDIS)
    return lambda: cluster.start(REDIS)


def handing_over(cluster, host, chance):
    """The leader hands over to another, as an operator asks it to."""
    cluster.script("transfer")
    return lambda: None


def upgrading(cluster, host, chance):
    """Every process of a host is restarted in good order."""
    cluster.script("upgrade", host)
    return lambda: None


def upgrading_all(cluster, host, chance):
    """Every process of every host is restarted in good order, one host after the other."""
    for other in HOSTS:
        cluster.script("upgrade", other)
    return lambda: None


ALL = [DEAF, MUTE]
ETCD = [("in", f"tcp dport {ETCD_PORTS} drop"), ("out", f'oifname != "lo" tcp dport {ETCD_PORTS} drop')]
TO_MANAGERS = [("in", f"tcp sport {MANAGER_PORT} drop"), ("out", f"tcp dport {MANAGER_PORT} drop")]
TO_REDIS = [("in", f"tcp sport {REDIS_PORT} drop"), ("out", f"tcp dport {REDIS_PORT} drop")]
REPLICATION = [("in", f"tcp dport {REPLICATION_PORT} drop"), ("out", f"tcp dport {REPLICATION_PORT} drop")]

FAULTS = [
    Fault("F1 leader's manager killed", killing("manager")),
    Fault("F2 leader's Redis killed", killing("redis")),
    Fault("F2 follower's Redis killed", killing("redis"), "follower"),
    Fault("F3 leader's host killed", killing()),
    Fault("F3 follower's host killed", killing(), "follower"),
    Fault("F4 leader's manager stopped", pausing("manager"), longest=8.0),
    Fault("F5 leader's Redis stopped", pausing("redis"), longest=8.0),
    Fault("F6 leader's host stopped", pausing(), longest=8.0),
    Fault("F7 leader's host cut", dropping(*ALL), longest=8.0),
    Fault("F7 follower's host cut", dropping(*ALL), "follower"),
    Fault("F8 leader's host hears nothing", dropping(ALL[0]), longest=8.0),
    Fault("F9 leader's host is not heard", dropping(ALL[1]), longest=8.0),
    Fault("F10 leader cut from etcd", dropping(*ETCD), longest=8.0),
    Fault("F11 leader cut from replication", dropping(*REPLICATION), longest=8.0),
    Fault("F11 leader and one follower cut", isolating_from_one, longest=8.0),
    Fault("F12 leader's network flaps", flapping),
    Fault("F13 leader's network is slow", slowing, longest=8.0),
    Fault("F13 leader's network loses packets", losing_packets, longest=8.0),
    Fault("F13 leader's host ends without a word", leaving_half_open, longest=8.0),
    Fault("F14 all hosts killed", killing_all),
    Fault("F14 leader's host loses its power", losing_power),
    Fault("F14 follower's host loses its power", losing_power, "follower"),
    Fault("F14 all hosts lose their power", losing_all_power, needs_durability=True),
    Fault("F15 leader's disk full", filling_the_disk, longest=8.0),
    Fault("F15 follower's disk full", filling_the_disk, "follower", longest=8.0),
    Fault("F16 follower's log cut off", cutting_the_log, "follower"),
    Fault("F16 bits of a follower's log flipped", flipping_bits, "follower"),
    Fault("F16 follower's log gone", losing_the_log, "follower"),
    Fault("F17 follower killed while it takes in a copy", killing_while_copying, "follower"),
    Fault("F18 leader's clock wrong by an hour", setting_the_clock),
    Fault("F19 leader's etcd killed", killing("etcd")),
    Fault("F20 follower's host replaced by an empty one", emptying, "follower"),
    Fault("F20 leader's host replaced by an empty one", emptying),
    Fault("F21 leader's host restarted in good order", upgrading),
    Fault("F21 all hosts restarted in good order", upgrading_all, shortest=0.0, longest=1.0),
    Fault("F22 a front killed", killing("front"), "any"),
    Fault("F23 two faults at a time", two_at_a_time, "any"),
    Fault("F23 leader cut from replication, then killed", writing_alone),
    Fault("F24 planned hand-over", handing_over),
    Fault("F25 two hosts killed", killing_a_majority, "any", leaves_minority=True, shortest=4.0),
    # Longer than a front waits before it sends again what got no answer, and than anybody believes in a pause.
    Fault("F26 leader's manager stopped for long", pausing("manager"), shortest=12.0, longest=20.0),
    Fault("F26 leader's host cut for long", dropping(*ALL), shortest=12.0, longest=20.0),
    Fault("F26 every manager stopped for long", pausing_all("manager"), "any", True, shortest=12.0, longest=20.0),
    Fault("F26 a front cut from managers for long", dropping(*TO_MANAGERS), "follower", shortest=12.0, longest=20.0),
    Fault("F27 leader's Redis killed while it writes", killing_while_writing(everywhere=False), is_heavy=True),
    Fault("F27 follower's Redis killed while it writes", killing_while_writing(everywhere=False), "follower", is_heavy=True),
    Fault(
        "F27 every Redis killed while one writes",
        killing_while_writing(everywhere=True),
        needs_durability=True,
        is_heavy=True,
    ),
    Fault("F28 leader replaced during QUEUE REMOVE", interrupting("remove"), shortest=0.0, longest=1.0),
    Fault("F28 leader replaced during MUTATE", interrupting("mutate"), shortest=0.0, longest=1.0),
    Fault("F28 leader replaced during FLUSH", interrupting("flush"), shortest=0.0, longest=1.0, spares_nothing=True),
    Fault("F29 etcd full", filling_etcd),
    Fault("F29 etcd full, and the leader's manager killed", filling_etcd_and_killing),
    Fault("F30 etcd emptied", emptying_etcd),
    Fault("F31 queues of large jobs resumed", playing(scenarios.resume_large), shortest=0.0, longest=1.0),
    Fault("F32 a worker's second connection closed", playing(scenarios.lose_second_connections), shortest=0.0, longest=1.0),
]

# What strikes shared mode, where Redis is one for all.
SHARED_FAULTS = [
    Fault("S1 leader's manager killed", killing("manager")),
    Fault("S2 leader's manager stopped", pausing("manager"), longest=8.0),
    Fault("S2 leader's manager stopped for long", pausing("manager"), shortest=12.0, longest=20.0),
    Fault("S3 leader's host killed", killing()),
    Fault("S4 leader's host cut", dropping(*ALL), longest=8.0),
    Fault("S5 leader cut from etcd", dropping(*ETCD), longest=8.0),
    Fault("S6 leader cut from Redis", dropping(*TO_REDIS), longest=8.0),
    Fault("S7 Redis killed", ending_redis, "any"),
    Fault("S7 Redis killed while it writes", of_redis(killing_while_writing(everywhere=False)), "any", is_heavy=True),
    Fault("S8 Redis stopped", of_redis(pausing()), "any", True, shortest=3.0, longest=8.0),
    Fault("S8 Redis cut", of_redis(dropping(*ALL)), "any", True, shortest=3.0, longest=8.0),
    Fault("S8 Redis stopped for long", of_redis(pausing()), "any", True, shortest=12.0, longest=20.0),
    Fault("S9 a front killed", killing("front"), "any"),
    Fault("S10 leader's etcd killed", killing("etcd")),
    Fault("S11 planned hand-over", handing_over),
    Fault("S12 leader's host restarted in good order", upgrading),
    Fault("S13 leader replaced during QUEUE REMOVE", interrupting("remove"), shortest=0.0, longest=1.0),
    Fault("S13 leader replaced during MUTATE", interrupting("mutate"), shortest=0.0, longest=1.0),
    Fault("S13 leader replaced during FLUSH", interrupting("flush"), shortest=0.0, longest=1.0, spares_nothing=True),
    Fault("S14 queues of large jobs resumed", playing(scenarios.resume_large), shortest=0.0, longest=1.0),
    Fault("S15 etcd full", filling_etcd),
    Fault("S15 etcd emptied", emptying_etcd),
]

# One host is struck by a fault that lasts, and the same or another one by one that is over at once.
FIRST_OF_TWO = ["F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F13"]
SECOND_OF_TWO = ["F1", "F2", "F19", "F22"]


def victim(fault, leader, chance):
    """The host that a fault strikes."""
    if fault.target == "leader":
        return leader
    if fault.target == "follower":
        return chance.choice([host for host in HOSTS if host != leader])
    return chance.choice(HOSTS)
