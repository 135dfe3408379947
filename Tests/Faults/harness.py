"""Strikes a cluster under load, round by round, and judges what its clients were told."""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
from collections import defaultdict

import checker
import history as records
from cluster import HOSTS, Cluster, NotCarriedOut, address
from nemesis import FAULTS, victim
from workload import Shape, Workload

# How long everything may take to come to its end once all is healed. The session of a front that was killed lives for a
# minute from when the last leader began, and only then do its workers' jobs go to others, of whom some die with them: each
# time, it takes RELEASE_AFTER and the next look, a quarter of a minute later at the most.
DRAIN = 180.0

# How long after its healing a pause counts as one of a fault.
AFTERMATH = 5.0


async def play(cluster, faults, seed, shape):
    """One run: a workload, a few faults one after the other, a drain. Returns its history."""
    chance = random.Random(seed)
    history = records.History()
    workload = Workload(shape, history, chance.random())
    workload.start()
    # So that the first fault strikes a load that is under way.
    await asyncio.sleep(1.0)
    for fault in faults:
        host = victim(fault, await asyncio.to_thread(cluster.leader), chance)
        entry = records.Fault(fault.name, history.now(), leaves_minority=fault.leaves_minority)
        history.faults.append(entry)
        try:
            heal = await asyncio.to_thread(fault.strike, cluster, host, chance)
        except NotCarriedOut as error:
            history.refusals.append(f"{fault.name}: {error}")

            def heal():
                """Nothing was done."""

        # How long a fault lasts is part of it.
        await asyncio.sleep(chance.uniform(fault.shortest, fault.longest))
        entry.healed = history.now()
        try:
            await asyncio.to_thread(heal)
        except NotCarriedOut as error:
            history.refusals.append(f"the healing of {fault.name}: {error}")
        entry.whole = history.now()
        # The next fault strikes a cluster that is whole: what several do together is another question.
        try:
            await asyncio.to_thread(cluster.wait_until_whole)
        except TimeoutError as error:
            history.refusals.append(f"after {fault.name}: {error}")
            break
        # Clients that were held up by the last one are under way again.
        await asyncio.sleep(1.0)
    history.eased = history.now()
    if not await workload.drain(DRAIN):
        history.remainder["held by the server"] = await asyncio.to_thread(cluster.jobs)
    return history


class Table:
    """What was found, by fault."""

    def __init__(self):
        self.rows = defaultdict(lambda: defaultdict(int))
        self.pauses = defaultdict(list)

    def add(self, history, broken):
        """Takes a run in; returns its faults in words, each with its pause."""
        told = []
        ends = [fault.struck for fault in history.faults[1:]]
        ends.append(max((operation.ended for operation in history.operations), default=0))
        for fault, end in zip(history.faults, ends):
            row = self.rows[fault.name]
            row["rounds"] += 1
            inside = [operation for operation in history.operations if fault.struck <= operation.ended < end]
            row["acknowledged"] += sum(operation.outcome == records.OK for operation in inside)
            row["errors"] += sum(fault.struck <= time < end for time, _, _ in history.errors)
            row["reconnections"] += sum(fault.struck <= time < end for time in history.reconnections)
            told.append(fault.name)
            if not fault.leaves_minority:
                # When nothing is pushed any more, there is little to acknowledge.
                until = min(end, fault.whole + AFTERMATH, history.eased)
                pause = checker.pause(history, fault, until)
                self.pauses[fault.name].append(pause)
                told[-1] += f" ({pause:.2f} s)"
            # A broken promise counts against every fault of its run: which of them broke it is not known.
            for name, found in broken.items():
                row[name.split(" ", 1)[1]] += len(found)
        return ", ".join(told)

    def print(self):
        names = ["lost", "stuck", "duplicated", "overlapping", "executed after its ACK", "retried"]
        names.append("acknowledged by a minority")
        print("| fault | rounds | acknowledged | " + " | ".join(names) + " | errors | connected anew | median pause | longest pause |")
        print("|---" * (len(names) + 7) + "|")
        for fault in (fault.name for fault in FAULTS if fault.name in self.rows):
            row = self.rows[fault]
            cells = [fault, row["rounds"], f'{row["acknowledged"]:,}', *(row[name] for name in names)]
            cells += [row["errors"], row["reconnections"]]
            pauses = self.pauses[fault]
            cells += [f"{statistics.median(pauses):.2f} s", f"{max(pauses):.2f} s"] if pauses else ["–", "–"]
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def selected(names, durability, expects_loss):
    """The faults with these names or numbers, all when there are none; without those of which nothing is promised."""
    chosen = [fault for fault in FAULTS if not names or fault.name in names or fault.name.split()[0] in names]
    # With `memory`, what was acknowledged in the last second may be lost then, as promised.
    skipped = [fault for fault in chosen if fault.needs_durability and durability == "memory" and not expects_loss]
    for fault in skipped:
        print(f"not tried with durability {durability}: {fault.name}", file=sys.stderr, flush=True)
    return [fault for fault in chosen if fault not in skipped]


def main():
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument("faults", nargs="*", help="numbers or names of faults, as F1 F7; all when none is given")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=1, help="how often each fault strikes")
    parser.add_argument("--followed-by", metavar="FAULT", help="strikes with this one, too, after each of the others")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=200.0, help="jobs pushed each second")
    parser.add_argument("--resend", action="store_true", help="clients connect anew and send again what got no answer")
    parser.add_argument("--expect-loss", action="store_true", help="passes only when acknowledged jobs are lost")
    parser.add_argument("--minutes", type=float, help="begin nothing more when so many are over")
    parser.add_argument("--faults-per-run", type=int, default=4, help="faults between two drains")
    options = parser.parse_args()

    cluster = Cluster(options.program)
    shape = Shape(hosts=[address(host) for host in HOSTS], rate=options.rate, resends=options.resend)
    chance = random.Random(options.seed)
    chosen = selected(options.faults, os.environ.get("DURABILITY"), options.expect_loss)
    plan = [fault for _ in range(options.rounds) for fault in chosen]
    chance.shuffle(plan)
    if options.followed_by:
        followers = selected([options.followed_by], os.environ.get("DURABILITY"), options.expect_loss)
        if len(followers) != 1:
            parser.error(f"{len(followers)} faults that can be tried are called {options.followed_by}")
        if options.faults_per_run % 2:
            parser.error("with --followed-by, the faults of a run come in pairs: --faults-per-run must be even")
        plan = [each for fault in plan for each in (fault, *followers)]
    table = Table()
    passed = failed = lost = 0
    print(subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout, end="")
    end = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    for start in range(0, len(plan), options.faults_per_run):
        if end is not None and time.monotonic() >= end:
            print(f"the time is over after {start} of {len(plan)} faults", file=sys.stderr, flush=True)
            break
        faults = plan[start : start + options.faults_per_run]
        seed = chance.getrandbits(32)
        history = asyncio.run(play(cluster, faults, seed, shape))
        broken = checker.check(history)
        if refused := checker.refused_without_reason(history):
            broken["I15 refused"] = refused
        if history.refusals:
            broken["I16 not carried out"] = history.refusals
        told = table.add(history, broken)
        if broken:
            print(f"what the hosts wrote is kept in {cluster.keep_logs(seed)}", file=sys.stderr, flush=True)
        lost += len(broken.get("I1 lost", []))
        passed += not broken
        failed += bool(broken)
        print(f"{'FAILED' if broken else 'passed'}: seed {seed}: {told}", file=sys.stderr, flush=True)
        for name, found in broken.items():
            print(f"  {name}: {len(found)}: {'; '.join(found[:3])}", file=sys.stderr, flush=True)
        if any(" whole again" in refusal for refusal in history.refusals):
            print("the cluster is not whole again; nothing more is tried", file=sys.stderr, flush=True)
            break
    table.print()
    if options.expect_loss:
        print(f"{lost} acknowledged jobs were lost, and the judge noticed" if lost else "nothing was lost, or nobody noticed")
        sys.exit(0 if lost else 1)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
