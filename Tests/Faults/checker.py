"""Judges a history: what was promised to clients, and what they were given.

Each check returns sentences; none means that the promise was kept. The names are those of the invariants in
docs/reliability.md.
"""

from collections import defaultdict

from history import OK, REFUSED, UNKNOWN

# How long an acknowledgement that was on its way may still arrive after its server was cut off.
GRACE = 1.0


def check(history):
    """Every broken promise, by its invariant."""
    checks = {
        "I1 lost": lost(history),
        "I1 stuck": stuck(history),
        "I2 duplicated": duplicated(history),
        "I4 overlapping": overlapping(history),
        "I5 executed after its ACK": executed_after_ack(history),
        "I6 retried": wrongly_retried(history),
        "I14 acknowledged by a minority": acknowledged_by_minority(history),
    }
    return {name: found for name, found in checks.items() if found}


def lost(history):
    """I1: an acknowledged job that was never executed to its end, and that the server does not hold."""
    pushed = {operation.jid for operation in history.operations if operation.kind == "push" and operation.outcome == OK}
    # An ACK of unknown outcome may be the one that took effect.
    done = {
        operation.jid
        for operation in history.operations
        if operation.kind == "ack" and operation.outcome in (OK, UNKNOWN)
    }
    held = {jid for jids in history.remainder.values() for jid in jids}
    return [f"{jid} was acknowledged and is gone" for jid in sorted(pushed - done - held)]


def stuck(history):
    """I1: a job that the server holds although everything has been drained."""
    return [f"{jid} is still {name}" for name, jids in sorted(history.remainder.items()) for jid in sorted(jids)]


def duplicated(history):
    """I2: a job that was executed again without a reason: no failure, no connection that broke, no unknown outcome."""
    reasons = defaultdict(int)
    for jid in history.repeats:
        reasons[jid] += 1
    for operation in history.operations:
        if operation.kind == "fail" and operation.outcome in (OK, UNKNOWN):
            reasons[operation.jid] += 1
        elif operation.kind == "ack" and operation.outcome != OK:
            reasons[operation.jid] += 1
    runs = defaultdict(int)
    for execution in history.executions:
        runs[execution.jid] += 1
        if execution.is_abandoned:
            reasons[execution.jid] += 1
    return [
        f"{jid} was executed {count} times, for which there were {reasons[jid]} reasons"
        for jid, count in sorted(runs.items())
        if count > 1 + reasons[jid]
    ]


def overlapping(history):
    """I4: two executions of one job at the same time, while both reservations are valid."""
    found = []
    by_job = defaultdict(list)
    for execution in history.executions:
        by_job[execution.jid].append(execution)
    for jid, executions in sorted(by_job.items()):
        executions.sort(key=lambda execution: execution.began)
        for first, second in zip(executions, executions[1:]):
            if first.is_abandoned:
                continue
            if first.ended is None or second.began < first.ended:
                found.append(f"{jid} was given out again while a worker had it")
    return found


def executed_after_ack(history):
    """I5: a job that came back after its ACK was answered, and that was pushed once only."""
    acknowledged = {}
    for operation in history.operations:
        if operation.kind == "ack" and operation.outcome == OK:
            acknowledged[operation.jid] = min(operation.ended, acknowledged.get(operation.jid, operation.ended))
    for jid in history.repeats:
        acknowledged.pop(jid, None)
    return [
        f"{execution.jid} was executed after its ACK was answered"
        for execution in history.executions
        if execution.jid in acknowledged and execution.began > acknowledged[execution.jid]
    ]


def wrongly_retried(history):
    """I6: a FAIL that was answered has to lead to another execution, when the job is not held any more."""
    failures = {}
    for operation in history.operations:
        if operation.kind == "fail" and operation.outcome == OK:
            failures[operation.jid] = max(operation.ended, failures.get(operation.jid, 0))
    held = {jid for jids in history.remainder.values() for jid in jids}
    latest = {}
    for execution in history.executions:
        latest[execution.jid] = max(execution.began, latest.get(execution.jid, 0))
    return [
        f"{jid} failed and was never tried again"
        for jid, failed in sorted(failures.items())
        if latest.get(jid, 0) < failed and jid not in held
    ]


def acknowledged_by_minority(history):
    """I14: a push that began and was answered while no majority was there."""
    found = []
    for fault in history.faults:
        if not fault.leaves_minority:
            continue
        for operation in history.operations:
            is_inside = fault.struck + GRACE < operation.began and (
                fault.healed is None or operation.ended < fault.healed
            )
            if is_inside and operation.outcome == OK:
                found.append(f"the {operation.kind} of {operation.jid} was acknowledged during {fault.name}")
    return found


def pause(history, fault, until):
    """The longest time without any acknowledgement from a fault on, in seconds."""
    times = sorted(
        operation.ended
        for operation in history.operations
        if operation.outcome == OK and fault.struck <= operation.ended <= until
    )
    # One that lasts until then counts, too.
    edges = [fault.struck, *times, until]
    return max(later - earlier for earlier, later in zip(edges, edges[1:]))


def refused_without_reason(history):
    """Error replies: a fail-over must never look like a refusal."""
    return [
        f"the {operation.kind} of {operation.jid} was answered with an error"
        for operation in history.operations
        if operation.outcome == REFUSED
    ]
