"""Strikes a cluster under load, round by round, and judges what its clients were told."""

import argparse
import asyncio
import random
import statistics
import subprocess
import sys
from collections import defaultdict

import checker
import history as records
from cluster import HOSTS, Cluster, address
from nemesis import FAULTS, victim
from workload import Shape, Workload

# How long everything may take to come to its end once all is healed: longer than the session of a front that was killed
# lives, whose workers' jobs only then go to others.
DRAIN = 90.0

# How long after its healing a pause counts as one of a fault.
AFTERMATH = 5.0


async def play(cluster, faults, seed, rate):
    """One run: a workload, a few faults one after the other, a drain. Returns its history."""
    chance = random.Random(seed)
    history = records.History()
    workload = Workload(Shape(hosts=[address(host) for host in HOSTS], rate=rate), history, chance.random())
    workload.start()
    # So that the first fault strikes a load that is under way.
    await asyncio.sleep(1.0)
    for fault in faults:
        host = victim(fault, await asyncio.to_thread(cluster.leader), chance)
        entry = records.Fault(fault.name, history.now(), leaves_minority=fault.leaves_minority)
        history.faults.append(entry)
        try:
            heal = await asyncio.to_thread(fault.strike, cluster, host, chance)
        except subprocess.CalledProcessError as error:
            history.refusals.append(f"{fault.name}: {(error.stderr or error.stdout or '').strip()}")

            def heal():
                """Nothing was done."""

        # How long a fault lasts is part of it.
        await asyncio.sleep(chance.uniform(fault.shortest, fault.longest))
        entry.healed = history.now()
        await asyncio.to_thread(heal)
        # The next fault strikes a cluster that is whole: what several do together is another question.
        await asyncio.to_thread(cluster.wait_until_whole)
        await asyncio.sleep(1.0)
    if not await workload.drain(DRAIN):
        history.remainder["held by the server"] = await asyncio.to_thread(cluster.jobs)
    return history


class Table:
    """What was found, by fault."""

    def __init__(self):
        self.rows = defaultdict(lambda: defaultdict(int))
        self.pauses = defaultdict(list)

    def add(self, history, broken):
        ends = [fault.struck for fault in history.faults[1:]]
        ends.append(max((operation.ended for operation in history.operations), default=0))
        for fault, end in zip(history.faults, ends):
            row = self.rows[fault.name]
            row["rounds"] += 1
            inside = [operation for operation in history.operations if fault.struck <= operation.ended < end]
            row["acknowledged"] += sum(operation.outcome == records.OK for operation in inside)
            row["errors"] += sum(fault.struck <= time < end for time, _, _ in history.errors)
            if not fault.leaves_minority:
                self.pauses[fault.name].append(checker.pause(history, fault, min(end, fault.healed + AFTERMATH)))
            # A broken promise counts against every fault of its run: which of them broke it is not known.
            for name, found in broken.items():
                row[name.split(" ", 1)[1]] += len(found)

    def print(self):
        names = ["lost", "stuck", "duplicated", "overlapping", "executed after its ACK", "retried"]
        names.append("acknowledged by a minority")
        print("| fault | rounds | acknowledged | " + " | ".join(names) + " | errors | median pause | longest pause |")
        print("|---" * (len(names) + 6) + "|")
        for fault, row in self.rows.items():
            cells = [fault, row["rounds"], f'{row["acknowledged"]:,}', *(row[name] for name in names), row["errors"]]
            pauses = self.pauses[fault]
            cells += [f"{statistics.median(pauses):.2f} s", f"{max(pauses):.2f} s"] if pauses else ["–", "–"]
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def selected(names):
    """The faults whose names begin with one of these words; all when there are none."""
    if not names:
        return FAULTS
    return [fault for fault in FAULTS if any(fault.name.split()[0] == name for name in names)]


def main():
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument("faults", nargs="*", help="numbers of faults, as F1 F7; all when none is given")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=1, help="how often each fault strikes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=200.0, help="jobs pushed each second")
    parser.add_argument("--faults-per-run", type=int, default=4, help="faults between two drains")
    options = parser.parse_args()

    cluster = Cluster(options.program)
    chance = random.Random(options.seed)
    plan = [fault for _ in range(options.rounds) for fault in selected(options.faults)]
    chance.shuffle(plan)
    table = Table()
    passed = failed = 0
    print(subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout, end="")
    for start in range(0, len(plan), options.faults_per_run):
        faults = plan[start : start + options.faults_per_run]
        seed = chance.getrandbits(32)
        history = asyncio.run(play(cluster, faults, seed, options.rate))
        broken = checker.check(history)
        if refused := checker.refused_without_reason(history):
            broken["I15 refused"] = refused
        if history.refusals:
            broken["I16 not carried out"] = history.refusals
        table.add(history, broken)
        passed += not broken
        failed += bool(broken)
        names = ", ".join(fault.name for fault in faults)
        print(f"{'FAILED' if broken else 'passed'}: seed {seed}: {names}", file=sys.stderr, flush=True)
        for name, found in broken.items():
            print(f"  {name}: {len(found)}: {'; '.join(found[:3])}", file=sys.stderr, flush=True)
    table.print()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
