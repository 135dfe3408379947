"""Plants each violation into a history, and makes sure that the checker finds it, and nothing else."""

import sys

import checker
from history import OK, REFUSED, UNKNOWN, Execution, Fault, History, Operation


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
    history.faults.append(Fault("two hosts killed", 10.0, 20.0, leaves_minority=True))
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
    history.operations.append(Operation("ack", "a", 1.5, 1.6, REFUSED))


def never_retried(history):
    history.operations.append(Operation("push", "f", 0.0, 0.1, UNKNOWN))
    history.executions.append(Execution("f", 1.0, 2.0))
    history.operations.append(Operation("fail", "f", 1.9, 2.0, OK))


def acknowledged_by_minority(history):
    history.operations.append(Operation("push", "g", 12.0, 12.1, OK))
    history.remainder["enqueued"] = ["g"]


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


def main():
    passed = failed = 0
    for name, found, expected in (*verdicts(), *pauses()):
        if found == expected:
            passed += 1
        else:
            failed += 1
            print(f"{name}: found {found}, expected {expected}", file=sys.stderr)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
