"""The faults: what is done to which host, and how it is undone.

Each fault is a function of the cluster, the host that is struck and a source of chance. It strikes, and returns what
heals. The numbers are those of docs/reliability.md.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Callable

from cluster import DEAF, HOSTS, MUTE, NotCarriedOut, address

ETCD_PORTS = "{ 2379, 2380 }"
REPLICATION_PORT = "7423"


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
