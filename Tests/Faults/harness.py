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

import backlog
import checker
import history as records
from client import Connection, Refused, Unknown, Unreachable
from cluster import HOSTS, Cluster, NotCarriedOut, address
from nemesis import FAULTS, SHARED_FAULTS, victim
from workload import Shape, Workload

# How long everything may take to come to its end once all is healed. The session of a front that was killed lives for a
# minute from when the last leader began, and only then do its workers' jobs go to others, of whom some die with them: each
# time, it takes RELEASE_AFTER and the next look, a quarter of a minute later at the most.
DRAIN = 180.0

# How long it is waited for that every front serves again, as a multiple of what is promised.
SERVING = 3

# How long a fault for which large jobs are wanted lets them come before it strikes.
FOREBODING = 1.0

# How long after its healing a pause counts as one of a fault.
AFTERMATH = 5.0


async def serve_again(history, entry, recovery):
    """Writes down when each front answers again what only a leader can answer."""

    async def look(host):
        while history.now() < entry.whole + SERVING * recovery:
            try:
                connection = await Connection.open(address(host))
                try:
                    await connection.info()
                    entry.served[host] = history.now()
                    return
                finally:
                    connection.close()
            except (Unreachable, Unknown, Refused):
                await asyncio.sleep(0.1)
        entry.served[host] = None

    await asyncio.gather(*map(look, HOSTS))


async def play(cluster, faults, seed, shape, tells=False):
    """One run: a workload, a few faults one after the other, a drain. Returns its history."""
    chance = random.Random(seed)
    history = records.History()
    cluster.history = history
    workload = Workload(shape, history, chance.random())
    workload.start()
    # So that the first fault strikes a load that is under way.
    await asyncio.sleep(1.0)
    for fault in faults:
        if tells:
            print(f"{time.strftime('%H:%M:%S', time.gmtime())} {fault.name}", file=sys.stderr, flush=True)
        workload.is_heavy = fault.is_heavy
        if fault.is_heavy:
            await asyncio.sleep(FOREBODING)
        try:
            host = victim(fault, await asyncio.to_thread(cluster.leader), chance)
        except TimeoutError as error:
            history.refusals.append(f"before {fault.name}: the cluster is not whole again: {error}")
            break
        entry = records.Fault(fault.name, history.now(), leaves_minority=fault.leaves_minority)
        history.faults.append(entry)
        try:
            heal = await asyncio.to_thread(fault.strike, cluster, host, chance)
        except NotCarriedOut as error:
            history.refusals.append(f"{fault.name}: {error}")

            def heal():
                """Nothing was done."""

        workload.is_heavy = False
        # How long a fault lasts is part of it.
        await asyncio.sleep(chance.uniform(fault.shortest, fault.longest))
        entry.healed = history.now()
        try:
            await asyncio.to_thread(heal)
        except NotCarriedOut as error:
            history.refusals.append(f"the healing of {fault.name}: {error}")
        entry.whole = history.now()
        await serve_again(history, entry, cluster.recovery)
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
        try:
            held = await asyncio.to_thread(cluster.jobs)
        except TimeoutError as error:
            history.refusals.append(f"at the end: the cluster is not whole again: {error}")
            held, history.is_remainder_known = [], False
        history.remainder["held by the server"] = [jid for jid in held if not backlog.is_part(jid)]
    return history


def described(cluster, history):
    """What the server says of some of the jobs that it still holds."""
    jids = [jid for held in history.remainder.values() for jid in held][:20]
    try:
        return [cluster.describe(jid) for jid in jids]
    except (TimeoutError, subprocess.CalledProcessError) as error:
        return [f"they could not be asked for: {error}"]


def tell(history, broken, path, descriptions):
    """Writes down what clients did with each job that a broken promise names, and when faults struck."""
    # The hosts' logs have the time of day.
    shift = time.time() - history.now()
    told = " ".join(sentence for found in broken.values() for sentence in found)
    lines = []
    for fault in history.faults:
        lines += [(fault.struck, f"{fault.name} strikes"), (fault.healed, "it is healed"), (fault.whole, "it is over")]
        lines += [(served, f"the front of host {host} serves") for host, served in fault.served.items()]
    for operation in history.operations:
        if operation.jid in told:
            lines.append((operation.began, f"{operation.kind} {operation.jid} begins"))
            lines.append((operation.ended, f"{operation.kind} {operation.jid} is {operation.outcome}"))
    for execution in history.executions:
        if execution.jid in told:
            lines.append((execution.began, f"{execution.jid} is given to a worker"))
            left = " without a word" if execution.is_abandoned else ""
            lines.append((execution.ended, f"{execution.jid} is let go of{left}"))
    for pipeline in history.pipelines:
        if pipeline.replies != pipeline.expected:
            lines.append((pipeline.began, f"{' '.join(pipeline.expected)} are asked for, and what comes is {' '.join(pipeline.replies)}"))
    with open(path, "w") as file:
        file.writelines(f"{description}\n" for description in descriptions)
        for when, what in sorted((when, what) for when, what in lines if when is not None):
            moment = time.strftime("%H:%M:%S", time.gmtime(when + shift))
            file.write(f"{moment}.{int((when + shift) % 1 * 1000):03d} {what}\n")


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
        names += ["acknowledged by a minority", "not served", "out of order", "carried out wrongly", "altered"]
        print("| fault | rounds | acknowledged | " + " | ".join(names) + " | errors | connected anew | median pause | longest pause |")
        print("|---" * (len(names) + 7) + "|")
        for fault in (fault.name for fault in FAULTS + SHARED_FAULTS if fault.name in self.rows):
            row = self.rows[fault]
            cells = [fault, row["rounds"], f'{row["acknowledged"]:,}', *(row[name] for name in names)]
            cells += [row["errors"], row["reconnections"]]
            pauses = self.pauses[fault]
            cells += [f"{statistics.median(pauses):.2f} s", f"{max(pauses):.2f} s"] if pauses else ["–", "–"]
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def selected(faults, names, durability, expects_loss, has_backlog=False):
    """The faults with these names or numbers, all when there are none; without those of which nothing is promised."""
    chosen = [fault for fault in faults if not names or fault.name in names or fault.name.split()[0] in names]
    # With `memory`, what was acknowledged in the last second may be lost then, as promised.
    skipped = [fault for fault in chosen if fault.needs_durability and durability == "memory" and not expects_loss]
    for fault in skipped:
        print(f"not tried with durability {durability}: {fault.name}", file=sys.stderr, flush=True)
    if has_backlog:
        # It would have the backlog, too.
        skipped += [fault for fault in chosen if fault.spares_nothing]
    return [fault for fault in chosen if fault not in skipped]


def quantity(text):
    """A number of bytes: 400M, 1G or 1000000."""
    unit = {"k": 1e3, "M": 1e6, "G": 1e9}.get(text[-1:])
    return int(float(text[:-1]) * unit) if unit else int(text)


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
    parser.add_argument("--backlog", type=int, default=0, help="so many jobs that nobody works on lie there from the start")
    parser.add_argument("--backlog-bytes", type=quantity, default=0, help="how large all of those are together: 400M, 1G")
    parser.add_argument("--half-closing", type=int, default=2, help="how many clients half-close their connections")
    parser.add_argument("--not-reading", type=int, default=2, help="how many clients do not read what they asked for")
    parser.add_argument("--recovery", type=float, default=10.0, help="how long after a fault fronts may take, in seconds")
    parser.add_argument("-v", "--verbose", action="store_true", help="name each fault when it strikes")
    parser.add_argument("--shared", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()

    cluster = Cluster(options.program)
    cluster.recovery = options.recovery
    cluster.patience = max(cluster.patience, 4 * options.recovery)
    all_faults = SHARED_FAULTS if cluster.is_shared else FAULTS
    pile = backlog.Backlog.of(options.backlog, options.backlog_bytes)
    shape = Shape(
        hosts=[address(host) for host in HOSTS],
        rate=options.rate,
        resends=options.resend,
        half_closers=options.half_closing,
        unread=options.not_reading,
        backlog=pile.count,
    )
    chance = random.Random(options.seed)
    chosen = selected(all_faults, options.faults, os.environ.get("DURABILITY"), options.expect_loss, pile.count > 0)
    if not chosen:
        parser.error("there is no such fault here: " + ", ".join(options.faults))
    plan = [fault for _ in range(options.rounds) for fault in chosen]
    chance.shuffle(plan)
    if options.followed_by:
        followers = selected(all_faults, [options.followed_by], os.environ.get("DURABILITY"), options.expect_loss)
        if len(followers) != 1:
            parser.error(f"{len(followers)} faults that can be tried are called {options.followed_by}")
        if options.faults_per_run % 2:
            parser.error("with --followed-by, the faults of a run come in pairs: --faults-per-run must be even")
        plan = [each for fault in plan for each in (fault, *followers)]
    table = Table()
    passed = failed = lost = 0
    print(subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout, end="")
    if pile.count:
        asyncio.run(pile.push([address(host) for host in HOSTS]))
        cluster.patience = 600.0
        cluster.wait_until_whole()
    end = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    for start in range(0, len(plan), options.faults_per_run):
        if end is not None and time.monotonic() >= end:
            print(f"the time is over after {start} of {len(plan)} faults", file=sys.stderr, flush=True)
            break
        faults = plan[start : start + options.faults_per_run]
        seed = chance.getrandbits(32)
        history = asyncio.run(play(cluster, faults, seed, shape, options.verbose))
        broken = checker.check(history, options.recovery)
        if history.refusals:
            broken["I16 not carried out"] = history.refusals
        told = table.add(history, broken)
        if broken:
            folder = cluster.keep_logs(seed)
            print(f"what the hosts wrote is kept in {folder}", file=sys.stderr, flush=True)
            tell(history, broken, os.path.join(folder, "history"), described(cluster, history))
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
