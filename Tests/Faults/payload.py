"""Jobs of all sizes, whose bodies can be told from any that was altered."""

import math
import random

# The most that a job may have in its body, so that all of it stays below the eight megabytes that a server takes.
LARGEST = 7_900_000

# Bodies are pieces of it, at a place that follows from the number of the job.
_POOL = "".join(random.Random(0).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=65_521))


def size(rng):
    """A length in bytes: most jobs are small, some are of a size that people warn of, a few as large as they may be."""
    kind = rng.random()
    if kind < 0.9:
        return _between(rng, 100, 2_000)
    if kind < 0.998:
        return _between(rng, 10_000, 400_000)
    return _between(rng, 1_000_000, LARGEST)


def large(rng):
    """A length that takes many writes."""
    return rng.randint(5_000_000, LARGEST)


def arguments(number, length):
    """What a job of this number is pushed with."""
    return [number, length, _body(number, length)]


def is_intact(job):
    """Whether a job has what it was pushed with; one that has no body of ours is not looked at."""
    given = job.get("args", [])
    return len(given) != 3 or given[2] == _body(given[0], given[1])


def _body(number, length):
    start = number % len(_POOL)
    turned = _POOL[start:] + _POOL[:start]
    return (turned * (length // len(turned) + 1))[:length]


def _between(rng, least, most):
    """Each order of magnitude as likely as any other."""
    return int(math.exp(rng.uniform(math.log(least), math.log(most))))
