"""Runs of `millrace bench`."""

import dataclasses
import json
import subprocess

from client import Client
from server import Server


@dataclasses.dataclass(frozen=True)
class Load:
    """What one run is asked to do."""

    title: str
    producers: int
    workers: int
    jobs: int
    size: int = 100
    batch: int = 1
    rate: int | None = None
    idle: int = 0

    def flags(self) -> list[str]:
        flags = []
        for name in ("producers", "workers", "jobs", "size", "batch", "idle"):
            flags += [f"--{name}", str(getattr(self, name))]
        return flags + (["--rate", str(self.rate)] if self.rate else [])


@dataclasses.dataclass(frozen=True)
class Result:
    """What one run found out."""

    title: str
    jobs_per_second: float
    seconds: float
    lost: int
    duplicated: int
    # By command, and from push to start and to done; each with count, p50_ms and so on.
    latency: dict[str, dict[str, float]]
    # By process, the generator among them as "bench".
    processes: dict[str, dict[str, float]]

    @property
    def server(self) -> dict[str, dict[str, float]]:
        return {name: use for name, use in self.processes.items() if name != "bench"}

    @property
    def server_cpu_us(self) -> float:
        """CPU time of all the server's processes for each job."""
        return sum(use["cpu_us_per_job"] for use in self.server.values())

    def milliseconds(self, what: str, percentile: str) -> float:
        return self.latency[what][f"{percentile}_ms"]


def run(millrace: str, server: Server, load: Load) -> Result:
    """Runs a load once; one that loses a job is still a result, one that breaks off is an error."""
    report = _bench(millrace, server, load)
    fields = {field.name for field in dataclasses.fields(Result)} - {"title"}
    if load.workers == 0:
        with Client(server.port) as client:
            client.ask("FLUSH")
    return Result(title=load.title, **{name: report[name] for name in fields})


def fill(millrace: str, server: Server, job_count: int) -> tuple[str, float]:
    """Pushes jobs and leaves them; returns the queue that they are in, and how many were pushed each second."""
    load = Load("filling a queue", producers=4, workers=0, jobs=job_count, batch=1_000)
    report = _bench(millrace, server, load)
    with Client(server.port) as client:
        queues = client.info()["queues"]
    return next(name for name, count in queues.items() if count == job_count), report["jobs_per_second"]


def _bench(millrace: str, server: Server, load: Load) -> dict:
    pids = ",".join(f"{name}:{pid}" for name, pid in server.pids.items())
    words = [millrace, "bench", server.url, "--processes", pids, "--json", *load.flags()]
    finished = subprocess.run(words, capture_output=True, text=True)
    if not finished.stdout:
        raise RuntimeError(f"{load.title}: {finished.stderr.strip()}")
    return json.loads(finished.stdout)
