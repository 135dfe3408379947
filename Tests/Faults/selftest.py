"""Plants each violation into a history, and makes sure that the checker finds it, and nothing else."""

import os
import re
import sys

import checker
from cluster import ROOT
from history import OK, REFUSED, UNKNOWN, Deferred, Execution, Fault, History, Operation, Pipeline
from nemesis import FAULTS, SHARED_FAULTS


def good():
    """A history without a fault in it: a job that is done, one that fails once, one whose worker dies."""
    history = History()
    for jid in ("a", "b", "c"):
        history.operations.append(Operation("push", jid, 0.0, 0.1, OK))
        history.executions.append(Execution(jid, 1.0, 2.0))
    history.operations.append(Operation("ack", "a", 1.9, 2.0, OK))
    history.operations.append(Operation("fail", "b", 1.9, 2.0, OK))
    history.executions.append(Execution("b", 3.0, 4.0))
    history.operations.append(Operation("ack", "b", 3.9, 4.0, OK))
    history.executions[2].is_abandoned = True
    history.executions.append(Execution("c", 3.0, 4.0))
    history.operations.append(Operation("ack", "c", 3.9, 4.0, UNKNOWN))
    history.faults.append(Fault("two hosts killed", 10.0, 20.0, 21.0, leaves_minority=True, served={1: 22.0, 2: 30.9}))
    history.pipelines.append(Pipeline(1.0, ["ok", "ok", "job"], ["ok", "ok", "job"], 2.0))
    # One that a fault struck.
    history.pipelines.append(Pipeline(9.0, ["ok", "ok", "job"], ["ok", "ok", "none"], 11.0))
    history.pipelines.append(Pipeline(30.0, ["ok", "ok", "job"], ["ok"], 32.0))
    history.deferred.append(Deferred("QUEUE REMOVE", ["m", "n"], 1.0, 2.0, 3.0, OK, ["o"], ["o"]))
    # One whose answer was lost may have been carried out or not.
    history.deferred.append(Deferred("MUTATE", ["p", "q"], 1.0, None, 3.0, UNKNOWN, [], ["p", "q"]))
    return history


def lost(history):
    history.operations.append(Operation("push", "d", 0.0, 0.1, OK))


def stuck(history):
    history.remainder["working"] = ["a"]


def duplicated(history):
    history.executions.append(Execution("e", 1.0, 2.0))
    history.executions.append(Execution("e", 3.0, 4.0))


def overlapping(history):
    history.executions.append(Execution("b", 3.5, 3.8))
    history.operations.append(Operation("fail", "b", 3.7, 3.8, UNKNOWN))


def executed_after_ack(history):
    history.executions.append(Execution("a", 2.5, 2.6))
    history.operations.append(Operation("ack", "a", 1.5, 1.6, UNKNOWN))


def never_retried(history):
    history.operations.append(Operation("push", "f", 0.0, 0.1, UNKNOWN))
    history.executions.append(Execution("f", 1.0, 2.0))
    history.operations.append(Operation("fail", "f", 1.9, 2.0, OK))


def acknowledged_by_minority(history):
    history.operations.append(Operation("push", "g", 12.0, 12.1, OK))
    history.remainder["enqueued"] = ["g"]


def refused(history):
    history.operations.append(Operation("fail", "a", 1.0, 1.1, REFUSED))


def backlog_gone(history):
    history.backlog = (10, 9)


def served_late(history):
    history.faults[0].served[3] = 31.1


def never_served(history):
    history.faults[0].served[3] = None


def replies_swapped(history):
    history.pipelines.append(Pipeline(9.0, ["ok", "ok", "job"], ["ok", "none", "ok"], 11.0))


def given_nothing(history):
    history.pipelines.append(Pipeline(1.0, ["ok", "ok", "job"], ["ok", "ok", "none"], 2.0))


def cut_short(history):
    history.pipelines.append(Pipeline(1.0, ["ok", "ok", "job"], ["ok", "ok"], 2.0))


def carried_out_twice(history):
    history.deferred[0].after.append("r")


def left_behind(history):
    history.deferred[0].found.append("m")


def came_twice(history):
    history.deferred[0].found.append("o")


def altered(history):
    history.executions[0].is_intact = False


def flushed(history):
    """All that was pushed until a FLUSH was seen to begin may be gone, and a FAIL of it finds nothing."""
    history.operations.append(Operation("push", "d", 39.0, 39.1, OK))
    history.operations.append(Operation("push", "e", 40.0, 42.0, OK))
    history.operations.append(Operation("fail", "e", 44.0, 44.1, REFUSED))
    history.deferred.append(Deferred("FLUSH", [], 40.0, 41.0, 43.0, OK, [], [], is_for_all=True))


def flushed_twice(history):
    flushed(history)
    history.operations.append(Operation("push", "f", 41.5, 42.0, OK))


def flushed_later(history):
    """A FLUSH whose client got no answer was carried out after another leader had come."""
    history.operations.append(Operation("push", "g", 50.0, 50.1, OK))
    history.deferred.append(Deferred("FLUSH", [], 40.0, None, 43.0, UNKNOWN, [], [], is_for_all=True))


def back_after_flush(history):
    flushed(history)
    history.executions.append(Execution("d", 50.0, 51.0))


def pushed_twice(history):
    """A client that had no answer pushed again, when the job had been done already."""
    history.repeats.append("a")
    history.executions.append(Execution("a", 5.0, 6.0))


CASES = [
    (None, set()),
    (pushed_twice, set()),
    (lost, {"I1 lost"}),
    (stuck, {"I1 stuck"}),
    (duplicated, {"I2 duplicated"}),
    (overlapping, {"I4 overlapping"}),
    (executed_after_ack, {"I5 executed after its ACK"}),
    (never_retried, {"I6 retried"}),
    (refused, {"I15 refused"}),
    (backlog_gone, {"I1 lost"}),
    (served_late, {"I17 not served"}),
    (never_served, {"I17 not served"}),
    (replies_swapped, {"I18 out of order"}),
    (given_nothing, {"I18 out of order"}),
    (cut_short, {"I18 out of order"}),
    (carried_out_twice, {"I19 carried out wrongly"}),
    (left_behind, {"I19 carried out wrongly"}),
    (came_twice, {"I19 carried out wrongly"}),
    (flushed, set()),
    (flushed_twice, {"I1 lost"}),
    (flushed_later, set()),
    (back_after_flush, {"I19 carried out wrongly"}),
    (altered, {"I20 altered"}),
    (acknowledged_by_minority, {"I14 acknowledged by a minority", "I1 stuck"}),
]


def verdicts():
    """What the checker finds in a history with something planted in it, and what it has to find."""
    for plant, expected in CASES:
        history = good()
        if plant:
            plant(history)
        yield plant.__name__ if plant else "good", set(checker.check(history)), expected


def pauses():
    """What the pause of a fault at 10 is until 20, and what it has to be: in the middle, at its begin, at its end, all of it."""
    for times, expected in (([13.0, 14.0, 19.5], 5.5), ([16.0, 18.0], 6.0), ([10.1, 12.0, 12.5], 7.5), ([], 10.0)):
        history = History()
        history.operations += [Operation("push", "p", time - 0.1, time, OK) for time in times]
        yield "pause", checker.pause(history, Fault("a fault", 10.0), 20.0), expected


def numbers():
    """Whether docs/reliability.md says what each fault is."""
    with open(os.path.join(ROOT, "docs", "reliability.md")) as file:
        rows = [line.split("|")[1] for line in file if line.startswith("|")]
    told = {number for row in rows for number in re.findall(r"\b[FS]\d+\b", row)}
    for fault in FAULTS + SHARED_FAULTS:
        number = fault.name.split()[0]
        yield f"{fault.name} in docs/reliability.md", number if number in told else None, number


def main():
    passed = failed = 0
    for name, found, expected in (*verdicts(), *pauses(), *numbers()):
        if found == expected:
            passed += 1
        else:
            failed += 1
            print(f"{name}: found {found}, expected {expected}", file=sys.stderr)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
