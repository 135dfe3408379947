"""Workers that wait for jobs which never come."""

from load import Load, run
from report import Figure, Section, at_most, number
from setup import Setup, say

_CONNECTIONS = 10_000
_MEBIBYTE = 1_048_576


def idle(setup: Setup) -> Section:
    """Ten thousand of them, beside a hundred jobs a second."""
    count = setup.jobs(_CONNECTIONS)
    say(f"{count:,} idle workers")
    section = Section(f"{count:,} idle workers")
    load = Load(
        f"100 jobs/s beside {count:,} idle workers",
        producers=1,
        workers=10,
        jobs=max(setup.jobs(3_000), 1_000),
        rate=100,
        idle=count,
    )
    with setup.server(front__max_connections=str(count + 100)) as server:
        before = sum(server.resident_bytes().values())
        result = run(setup.millrace, server, load)
    shares = {name: use["cpu_seconds"] / result.seconds * 100 for name, use in result.server.items()}
    resident = sum(use["resident_bytes"] for use in result.server.values())
    parts = ", ".join(f"{name} {number(share)}" for name, share in shares.items())
    gained = f"{number((resident - before) / count / 1_024)} KiB a worker"
    section.results = [result]
    section.figures = [
        Figure("CPU of all the server's processes", sum(shares.values()), "% of a core", at_most(15), parts),
        Figure("resident memory of all the server's processes", resident / _MEBIBYTE, "MiB", at_most(500), gained),
    ]
    section.notes = [
        "Ten connections to a worker process, each of which sends a BEAT every 10 seconds; each connection asks again "
        "when its FETCH was answered with nothing, every 1.9 seconds. The hundred jobs a second are part of the figures."
    ]
    return section
