"""The faults: what is done to which host, and how it is undone.

Each fault is a function of the cluster, the host that is struck and a source of chance. It strikes, and returns what
heals. The numbers are those of docs/reliability.md.
"""

import time
from dataclasses import dataclass
from typing import Callable

from cluster import HOSTS, address

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


def handing_over(cluster, host, chance):
    """The leader hands over to another, as an operator asks it to."""
    cluster.script("transfer")
    return lambda: None


def upgrading(cluster, host, chance):
    """Every process of a host is restarted in good order."""
    cluster.script("upgrade", host)
    return lambda: None


# Loopback stays: it is within the host.
ALL = [("in", 'iifname != "lo" drop'), ("out", 'oifname != "lo" drop')]
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
    Fault("F14 all hosts killed", killing_all),
    Fault("F19 leader's etcd killed", killing("etcd")),
    Fault("F21 leader's host restarted in good order", upgrading),
    Fault("F22 a front killed", killing("front"), "any"),
    Fault("F24 planned hand-over", handing_over),
    Fault("F25 two hosts killed", killing_a_majority, "any", leaves_minority=True, shortest=4.0),
]


def victim(fault, leader, chance):
    """The host that a fault strikes."""
    if fault.target == "leader":
        return leader
    if fault.target == "follower":
        return chance.choice([host for host in HOSTS if host != leader])
    return chance.choice(HOSTS)
