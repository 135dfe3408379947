"""A steady load for a long time."""

import threading

from load import Load, run
from report import Figure, Section, number, table
from server import Server
from setup import Setup, say

_SECONDS = 600
# Two thirds of what it can do in a closed loop on two cores: with more, the queue grows and not only the processes.
_RATE = 8_000
_SAMPLE_SECONDS = 10
_MEBIBYTE = 1_048_576
# By how much the last third may be above the second, and still be called flat.
_TOLERANCE = 0.02
_TOLERANCE_BYTES = 4 * _MEBIBYTE


class _Samples:
    """A context in which the memory of a server's processes is looked at every ten seconds."""

    def __init__(self, server: Server, interval: float):
        self._server = server
        self._interval = interval
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.resident: list[dict[str, int]] = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()

    def _look(self):
        while not self._is_over.wait(self._interval):
            sizes = self._server.resident_bytes()
            self.resident.append(sizes)
            parts = ", ".join(f"{name} {number(size / _MEBIBYTE)}" for name, size in sizes.items())
            say(f"{len(self.resident) * self._interval:.0f} s: {parts} MiB")


def soak(setup: Setup) -> Section:
    """Ten minutes of as much as it can take for so long: does any process grow?"""
    seconds = max(int(_SECONDS * setup.scale), 12)
    say(f"{_RATE:,} jobs/s for {seconds} s")
    section = Section(f"{_RATE:,} jobs/s for {seconds} s")
    load = Load(section.title, producers=50, workers=50, jobs=_RATE * seconds, rate=_RATE)
    with setup.server() as server, _Samples(server, max(_SAMPLE_SECONDS * setup.scale, 1)) as samples:
        section.results = [run(setup.millrace, server, load)]
    section.notes = [_growth(samples.resident)]
    section.figures = [
        Figure(f"push to start, {percentile}", section.results[0].milliseconds("push_to_start", percentile), "ms")
        for percentile in ("p50", "p99", "p99.9")
    ]
    return section


def _growth(samples: list[dict[str, int]]) -> str:
    third = len(samples) // 3
    rows = []
    for name in samples[0]:
        sizes = [sample[name] for sample in samples]
        middle = _mean(sizes[third : 2 * third])
        last = _mean(sizes[2 * third :])
        is_flat = last - middle <= max(middle * _TOLERANCE, _TOLERANCE_BYTES)
        cells = [sizes[0], middle, last, max(sizes)]
        rows.append([name, *(number(size / _MEBIBYTE) for size in cells), "yes" if is_flat else "**no**"])
    heads = ["resident memory, MiB", "first", "mean, second third", "mean, last third", "most", "flat"]
    return (
        f"{len(samples)} looks at each process. It is flat if the mean of the last third is at most {_TOLERANCE:.0%} "
        f"or {number(_TOLERANCE_BYTES / _MEBIBYTE)} MiB above that of the second.\n\n" + table(heads, rows)
    )


def _mean(values: list[int]) -> float:
    return sum(values) / len(values)
