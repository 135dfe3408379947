"""What all parts of the benchmark are given."""

import dataclasses
import sys

from server import Server

_FEWEST_JOBS = 500


@dataclasses.dataclass(frozen=True)
class Setup:
    """The program that is measured, and how much of everything."""

    millrace: str
    # The part of the full number of jobs, and of the full time.
    scale: float = 1
    # How often a run is repeated for its median.
    repeats: int = 5

    def jobs(self, count: int) -> int:
        return max(int(count * self.scale), _FEWEST_JOBS)

    def server(self, **settings: str) -> Server:
        return Server(self.millrace, **settings)


def say(text: str):
    """Says what is being done, on standard error."""
    print(f"==> {text}", file=sys.stderr, flush=True)
