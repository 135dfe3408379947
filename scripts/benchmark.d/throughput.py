"""Producers and workers at their most, and at a steady pace."""

import dataclasses
import statistics
from typing import Sequence

import yardstick
from load import Load, Result, run
from report import Budget, Figure, Section, at_least, at_most, number, table
from server import Server
from setup import Setup, say

# Jobs a second of upstream's server 1.10.0 in the same settings, on a machine like the one of the budgets.
_UPSTREAM = {"1 + 1": 2_128, "10 + 10": 5_323, "50 + 50": 6_535, "200 + 200": 5_408}

# By setting: how many times upstream's jobs a second are asked for, and how much CPU time a job may take, in µs.
_BUDGETS = {"1 + 1": (1, None), "10 + 10": (2.2, 95), "50 + 50": (3.5, 50), "200 + 200": (4.5, 45)}


@dataclasses.dataclass
class _Turns:
    """What was measured when all settings were run in turns, with a look at the yardstick before each run."""

    results: dict[Load, list[Result]]
    looks: list[yardstick.Yardstick] = dataclasses.field(default_factory=list)

    def median(self, load: Load, by=lambda result: result.jobs_per_second) -> Result:
        """All its figures are of the median run, but for the lost and duplicated jobs of them all."""
        results = sorted(self.results[load], key=by)
        return dataclasses.replace(
            results[len(results) // 2],
            lost=sum(result.lost for result in results),
            duplicated=sum(result.duplicated for result in results),
        )


def memory(setup: Setup) -> Section:
    """Everything at `durability = memory`."""
    section = Section("Throughput and latency, `durability = memory`")
    closed, bulk, steady = _closed_loops(setup), _producers_only(setup), _steady(setup)
    with setup.server() as server:
        turns = _run_in_turns(setup, server, [*closed, *bulk, steady])
    for load in closed:
        section.figures += _closed_loop_figures(turns.median(load))
    for load in bulk:
        budget = at_least(150_000) if load.batch > 1 else None
        section.figures.append(Figure(load.title, turns.median(load).jobs_per_second, "jobs/s", budget))
    paced = turns.median(steady, by=lambda result: result.milliseconds("push_to_start", "p99"))
    section.figures += _steady_figures(paced)
    section.results = [*(turns.median(load) for load in closed + bulk), paced]
    section.notes = [_ratios(turns, closed + bulk)]
    return section


def disk(setup: Setup) -> Section:
    """Each batch on disk before it is confirmed."""
    section = Section("Throughput, `durability = disk`")
    budgets = {50: 12_000, 200: 16_000}
    loads = [Load(f"{count} + {count}", producers=count, workers=count, jobs=setup.jobs(60_000)) for count in budgets]
    with setup.server(durability="disk") as server:
        turns = _run_in_turns(setup, server, loads)
    for load in loads:
        result = turns.median(load)
        section.results.append(result)
        section.figures.append(Figure(load.title, result.jobs_per_second, "jobs/s", at_least(budgets[load.producers])))
    section.notes = [_ratios(turns, loads)]
    return section


def _closed_loops(setup: Setup) -> list[Load]:
    loads = [
        Load(f"{count} + {count}", producers=count, workers=count, jobs=setup.jobs(10_000 if count == 1 else 60_000))
        for count in (1, 10, 50, 200)
    ]
    return loads + [Load("50 + 50, 2,048 bytes", producers=50, workers=50, jobs=setup.jobs(60_000), size=2_048)]


def _producers_only(setup: Setup) -> list[Load]:
    return [
        Load("PUSH, 10 producers only", producers=10, workers=0, jobs=setup.jobs(200_000)),
        Load("PUSHB of 100, 10 producers only", producers=10, workers=0, jobs=setup.jobs(500_000), batch=100),
        Load("PUSHB of 1,000, 10 producers only", producers=10, workers=0, jobs=setup.jobs(500_000), batch=1_000),
    ]


def _steady(setup: Setup) -> Load:
    return Load("2,000 jobs/s, 50 + 50", producers=50, workers=50, jobs=setup.jobs(30_000), rate=2_000)


def _run_in_turns(setup: Setup, server: Server, loads: Sequence[Load]) -> _Turns:
    """Runs all of them, and then all of them again, so that what slows the machine for some time slows no setting alone."""
    turns = _Turns({load: [] for load in loads})
    for number in range(setup.repeats):
        for load in loads:
            say(f"{load.title} ({number + 1} of {setup.repeats})")
            turns.looks.append(yardstick.measure(server, setup.jobs(100_000)))
            turns.results[load].append(run(setup.millrace, server, load))
    return turns


def _closed_loop_figures(result: Result) -> list[Figure]:
    times, microseconds = _BUDGETS.get(result.title, (None, None))
    upstream = _UPSTREAM.get(result.title)
    least: Budget | None = None
    note = ""
    if upstream:
        least = at_least(times * upstream)
        note = f"{number(result.jobs_per_second / upstream)} × upstream's {number(upstream)}"
    most = at_most(microseconds) if microseconds else None
    return [
        Figure(f"{result.title}", result.jobs_per_second, "jobs/s", least, note),
        Figure(f"{result.title}, CPU of all the server's processes", result.server_cpu_us, "µs a job", most),
    ]


def _steady_figures(result: Result) -> list[Figure]:
    budgets = {
        "push_to_start": {"p50": at_most(0.5), "p99": at_most(2.5), "p99.9": at_most(6)},
        "push_to_done": {"p50": None, "p99": None, "p99.9": None},
    }
    return [
        Figure(
            f"{result.title}, {what.replace('_', ' ')}, {percentile}",
            result.milliseconds(what, percentile),
            "ms",
            budget,
        )
        for what, percentiles in budgets.items()
        for percentile, budget in percentiles.items()
    ]


def _ratios(turns: _Turns, loads: Sequence[Load]) -> str:
    lpush, rpop = ([getattr(look, name) for look in turns.looks] for name in ("lpush", "rpop"))
    rows = []
    for load in loads:
        rates = [result.jobs_per_second for result in turns.results[load]]
        ratio = f"{statistics.median(rates) / statistics.median(lpush):.3g}"
        rows.append([load.title, number(statistics.median(rates)), _range(rates), ratio])
    return (
        "The yardstick of the machine is `redis-benchmark -c 50 -d 100` at the server's own Redis before each run, at the "
        f"median {number(statistics.median(lpush))} LPUSH ({_range(lpush)}) and {number(statistics.median(rpop))} RPOP "
        f"({_range(rpop)}) a second. A job is three commands.\n\n"
        + table(["setting", "jobs/s", "in all runs", "by LPUSH a second"], rows)
    )


def _range(values: Sequence[float]) -> str:
    return f"{number(min(values))} to {number(max(values))}"
