"""What happened, in the order of one monotonic clock."""

import time
from dataclasses import dataclass, field

# Outcomes of a command.
OK = "ok"
REFUSED = "refused"
UNKNOWN = "unknown"


@dataclass
class Operation:
    """A command of a client, from when it was sent to when its outcome was known."""

    kind: str  # push, ack, fail
    jid: str
    began: float
    ended: float
    outcome: str


@dataclass
class Execution:
    """A job in the hands of a worker."""

    jid: str
    began: float
    # When the worker let go of it, whichever way; None while it works.
    ended: float | None = None
    # Whether its connection broke: the server may give the job to another from then on.
    is_abandoned: bool = False
    # Whether the job was what had been pushed, to the last byte.
    is_intact: bool = True


@dataclass
class Fault:
    """A fault of the nemesis, with the time in which no majority was there, if any."""

    name: str
    struck: float
    # When its healing began, and when it was done.
    healed: float | None = None
    whole: float | None = None
    leaves_minority: bool = False
    # By host, when its front answered again what only a leader can answer; None when it did not while that was waited for.
    served: dict = field(default_factory=dict)


@dataclass
class Pipeline:
    """Commands that a client sent at once, before it closed its sending side."""

    began: float
    # What each has to be answered with, "ok" or "job", and what came, in its order: "none" is a FETCH that was given nothing.
    expected: list
    replies: list = field(default_factory=list)
    ended: float | None = None


@dataclass
class Deferred:
    """A command that takes long, and what had become of the jobs that it was for when all was over."""

    command: str
    # Pushed and acknowledged before it was sent.
    before: list
    began: float
    # When somebody else saw for the first time that it does something; None when nobody did.
    effect: float | None = None
    ended: float | None = None
    outcome: str = UNKNOWN
    # Pushed after its first effect was seen, and acknowledged.
    after: list = field(default_factory=list)
    # What a worker was given at the end, from where these jobs were.
    found: list = field(default_factory=list)
    # Whether it is for all jobs of the server.
    is_for_all: bool = False


@dataclass
class History:
    """Everything that a checker needs to know of a run."""

    operations: list = field(default_factory=list)
    executions: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    # Errors that a client saw: connections that broke or were refused, and error replies.
    errors: list = field(default_factory=list)
    # How often a client connected anew, and no user of it heard of that.
    reconnections: list = field(default_factory=list)
    # The jobs that were pushed once more, each as often as that happened: it may have been done by then.
    repeats: list = field(default_factory=list)
    # Commands that were sent at once, and commands that take long.
    pipelines: list = field(default_factory=list)
    deferred: list = field(default_factory=list)
    # How many jobs of the backlog the server should have, and how many it has.
    backlog: tuple = (0, 0)
    # What an operator asked for and did not get.
    refusals: list = field(default_factory=list)
    # When the producers were told to stop.
    eased: float = float("inf")
    # What the server still holds at the end, by set.
    remainder: dict = field(default_factory=dict)
    # Whether that is all of it: without a leader nobody can be asked.
    is_remainder_known: bool = True

    @staticmethod
    def now():
        return time.monotonic()
