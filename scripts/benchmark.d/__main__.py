"""What `scripts/benchmark` runs when everything is installed."""

import argparse
import os
import pathlib
import platform
import signal
import subprocess
import sys

import failover
import idle
import million
import report
import soak
import throughput
from setup import Setup

_SECTIONS = {
    "memory": throughput.memory,
    "disk": throughput.disk,
    "idle": idle.idle,
    "queued": million.queued,
    "due": million.due,
    "failover": failover.failover,
    "heads": failover.heads,
}
_ROOT = pathlib.Path(__file__).resolve().parents[2]
_DOCUMENT = "docs/performance.md"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description="Measures Millrace on this machine.")
    parser.add_argument("--soak", action="store_true", help="ten minutes of steady load, and nothing else")
    parser.add_argument("--only", metavar="SECTION,...", help=f"of {', '.join(_SECTIONS)}; writes nothing")
    parser.add_argument("--quick", action="store_true", help="everything in little; writes nothing")
    arguments = parser.parse_args()
    arguments.sections = arguments.only.split(",") if arguments.only else list(_SECTIONS)
    for name in arguments.sections:
        if name not in _SECTIONS:
            parser.error(f"there is no section {name}; there are {', '.join(_SECTIONS)}")
    return arguments


def _output(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def _build() -> str:
    """Builds a release as the other scripts do, and says where it is."""
    words = ["bash", "-c", "source scripts/lib.sh && build_release"]
    return subprocess.run(words, cwd=_ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def _commit() -> str:
    git = ("git", "-C", str(_ROOT))
    changes = _output(*git, "status", "--porcelain", "--", ".", f":!{_DOCUMENT}")
    return _output(*git, "rev-parse", "--short", "HEAD") + (" with uncommitted changes" if changes else "")


def _heading(millrace: str) -> str:
    processor = next(
        (line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    gibibytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE") / 1_073_741_824
    facts = [
        f"commit {_commit()}" + (" (but a program that MILLRACE named)" if "MILLRACE" in os.environ else ""),
        _output(millrace, "version").splitlines()[0],
        _output("redis-server", "--version").split()[2].replace("v=", "Redis "),
        f"{os.cpu_count()} × {processor}",
        f"{report.number(gibibytes)} GiB",
        f"Linux {platform.release()}",
        _output("date", "-u", "+%F"),
    ]
    return "Measured: " + "; ".join(facts) + "."


def _stop(*_):
    sys.exit("stopped")


def main() -> int:
    arguments = _arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Under nohup, SIGHUP stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    millrace = os.environ.get("MILLRACE") or _build()
    setup = Setup(millrace, scale=0.02, repeats=1) if arguments.quick else Setup(millrace)
    measures = [soak.soak] if arguments.soak else [_SECTIONS[name] for name in arguments.sections]
    sections = [measure(setup) for measure in measures]
    text = "\n\n".join([_heading(millrace), *(section.markdown() for section in sections)])
    if arguments.quick or arguments.only:
        print(text)
    else:
        report.write(_ROOT / _DOCUMENT, "soak" if arguments.soak else "figures", text)
    return 0 if all(section.is_sound for section in sections) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped")
