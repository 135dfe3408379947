"""Producers and workers at their most, and at a steady pace."""

import yardstick
from load import Load, Result, median
from report import Budget, Figure, Section, at_least, at_most, number, table
from setup import Setup, say

# Jobs a second of upstream's server 1.10.0 in the same settings, on a machine like the one of the budgets.
_UPSTREAM = {"1 + 1": 2_128, "10 + 10": 5_323, "50 + 50": 6_535, "200 + 200": 5_408}

# By setting: how many times upstream's jobs a second are asked for, and how much CPU time a job may take, in µs.
_BUDGETS = {"1 + 1": (1, None), "10 + 10": (2.2, 95), "50 + 50": (3.5, 50), "200 + 200": (4.5, 45)}


def memory(setup: Setup) -> Section:
    """Everything at `durability = memory`, between two looks at the yardstick."""
    section = Section("Throughput and latency, `durability = memory`")
    with setup.server() as server:
        before = _yardstick(setup, server)
        closed = [_median(setup, server, load) for load in _closed_loops(setup)]
        bulk = [_median(setup, server, load) for load in _producers_only(setup)]
        steady = _median(setup, server, _steady(setup), by=lambda result: result.milliseconds("push_to_start", "p99"))
        after = _yardstick(setup, server)
    section.results = closed + bulk + [steady]
    for result in closed:
        section.figures += _closed_loop_figures(result)
    for result in bulk:
        budget = at_least(150_000) if result.title.startswith("PUSHB") else None
        section.figures.append(Figure(result.title, result.jobs_per_second, "jobs/s", budget))
    section.figures += _steady_figures(steady)
    section.notes = [_ratios(before, after, section.results)]
    return section


def disk(setup: Setup) -> Section:
    """Each batch on disk before it is confirmed."""
    section = Section("Throughput, `durability = disk`")
    budgets = {"50 + 50": 12_000, "200 + 200": 16_000}
    with setup.server(durability="disk") as server:
        for title, budget in budgets.items():
            count = int(title.split()[0])
            result = _median(setup, server, Load(title, producers=count, workers=count, jobs=setup.jobs(60_000)))
            section.results.append(result)
            section.figures.append(Figure(title, result.jobs_per_second, "jobs/s", at_least(budget)))
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


def _median(setup: Setup, server, load: Load, by=lambda result: result.jobs_per_second) -> Result:
    say(load.title)
    return median(setup.millrace, server, load, setup.repeats, by)


def _yardstick(setup: Setup, server) -> yardstick.Yardstick:
    say("redis-benchmark")
    return yardstick.measure(server, setup.jobs(200_000))


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


def _ratios(before: yardstick.Yardstick, after: yardstick.Yardstick, results: list[Result]) -> str:
    lpush = (before.lpush + after.lpush) / 2
    rows = [
        [result.title, number(result.jobs_per_second), number(result.jobs_per_second / lpush)]
        for result in results
        if "jobs/s" not in result.title
    ]
    return (
        f"The yardstick of the machine, `redis-benchmark -c 50 -d 100` at the server's own Redis: "
        f"{number(before.lpush)} LPUSH and {number(before.rpop)} RPOP a second before these runs, "
        f"{number(after.lpush)} and {number(after.rpop)} after them. A job is three commands.\n\n"
        + table(["setting", "jobs/s", "by LPUSH a second"], rows)
    )
