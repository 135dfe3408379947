"""How fast the machine is: redis-benchmark against the Redis of a server, which it shares with nobody meanwhile."""

import csv
import dataclasses
import subprocess

from server import Server


@dataclasses.dataclass(frozen=True)
class Yardstick:
    """Operations a second of 50 connections without pipelining, 100 bytes each."""

    lpush: float
    rpop: float


def measure(server: Server, operation_count: int) -> Yardstick:
    """As many pops as pushes, so that nothing is left."""
    words = ["redis-benchmark", "-s", server.redis_socket, "-t", "lpush,rpop", "-c", "50", "-d", "100"]
    words += ["-n", str(operation_count), "--csv"]
    text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    rates = {row["test"]: float(row["rps"]) for row in csv.DictReader(text.splitlines())}
    return Yardstick(lpush=rates["LPUSH"], rpop=rates["RPOP"])
