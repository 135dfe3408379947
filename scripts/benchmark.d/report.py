"""Figures beside their budgets, as Markdown between two marker lines of a document."""

import dataclasses
import pathlib
from typing import Sequence

from load import Result


@dataclasses.dataclass(frozen=True)
class Budget:
    """The most or the least that a figure may be."""

    bound: float
    is_minimum: bool = False

    def is_kept(self, value: float) -> bool:
        return value >= self.bound if self.is_minimum else value <= self.bound

    @property
    def text(self) -> str:
        return f"{'≥' if self.is_minimum else '≤'} {number(self.bound)}"


def at_least(bound: float) -> Budget:
    return Budget(bound, is_minimum=True)


def at_most(bound: float) -> Budget:
    return Budget(bound)


@dataclasses.dataclass(frozen=True)
class Figure:
    """Something measured, with its budget if it has one."""

    what: str
    value: float
    unit: str
    budget: Budget | None = None
    note: str = ""

    @property
    def row(self) -> list[str]:
        value = f"{number(self.value)} {self.unit}".strip() + (f" ({self.note})" if self.note else "")
        if self.budget is None:
            return [self.what, value, "–", ""]
        return [self.what, value, self.budget.text, "hit" if self.budget.is_kept(self.value) else "**miss**"]


@dataclasses.dataclass
class Section:
    """What one part of the benchmark found out."""

    title: str
    figures: list[Figure] = dataclasses.field(default_factory=list)
    results: list[Result] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return all(result.lost == 0 and result.duplicated == 0 for result in self.results)

    def markdown(self) -> str:
        parts = [f"### {self.title}"]
        parts += self.notes
        if self.figures:
            parts.append(table(["what", "measured", "budget", ""], [figure.row for figure in self.figures]))
        if self.results:
            parts.append(table(*_throughput(self.results)))
            parts.append(table(*_latencies(self.results)))
        return "\n\n".join(parts)


def number(value: float) -> str:
    """Whole above a hundred, with one decimal above ten, else with two; without zeros that say nothing."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write(document: pathlib.Path, name: str, text: str):
    """Puts a text between the lines `<!-- name: begin -->` and `<!-- name: end -->` of a document."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    before, _, rest = document.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise RuntimeError(f"{document} has no lines {begin.strip()} and {end.strip()}")
    document.write_text(f"{before}{begin}\n{text}\n\n{end}{after}")


def _throughput(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    heads = ["setting", "jobs/s", "server CPU, µs a job", "of which", "generator", "lost", "duplicated"]
    rows = []
    for result in results:
        parts = ", ".join(f"{name} {number(use['cpu_us_per_job'])}" for name, use in result.server.items())
        generator = number(result.processes["bench"]["cpu_us_per_job"])
        throughput, cpu = number(result.jobs_per_second), number(result.server_cpu_us)
        rows.append([result.title, throughput, cpu, parts, generator, str(result.lost), str(result.duplicated)])
    return heads, rows


def _latencies(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    kinds = ["PUSH", "FETCH", "ACK", "push to start", "push to done"]
    rows = []
    for result in results:
        row = [result.title]
        for kind in kinds:
            key = kind.lower().replace(" ", "_")
            latency = result.latency.get(key) or result.latency["pushb"]
            times = [number(latency[f"{percentile}_ms"]) for percentile in ("p50", "p99", "p99.9")]
            row.append(" / ".join(times) if latency["count"] else "–")
        rows.append(row)
    return ["p50 / p99 / p99.9, ms", *kinds], rows
