"""Judges a history: what was promised to clients, and what they were given.

Each check returns sentences; none means that the promise was kept. The names are those of the invariants in
docs/reliability.md.
"""

from collections import defaultdict

from history import OK, REFUSED, UNKNOWN

# How long after a fault has ended every front may take to serve again, and how long a client may feel it, in seconds.
RECOVERY = 10.0
# How long a job that was given out before a FLUSH may be on its way to its worker.
ON_ITS_WAY = 5.0
# How long an acknowledgement that was on its way may still arrive after its server was cut off.
GRACE = 1.0


def check(history, recovery=RECOVERY):
    """Every broken promise, by its invariant; `recovery` is how long a front may take to serve after a fault."""
    checks = {
        "I1 lost": lost(history),
        "I1 stuck": stuck(history),
        "I2 duplicated": duplicated(history),
        "I4 overlapping": overlapping(history),
        "I5 executed after its ACK": executed_after_ack(history),
        "I6 retried": wrongly_retried(history),
        "I14 acknowledged by a minority": acknowledged_by_minority(history),
        "I15 refused": refused_without_reason(history),
        "I17 not served": not_served(history, recovery),
        "I18 out of order": out_of_order(history),
        "I19 carried out wrongly": carried_out_wrongly(history),
        "I20 altered": altered(history),
    }
    return {name: found for name, found in checks.items() if found}


def lost(history):
    """I1: an acknowledged job that was never executed to its end, and that the server does not hold."""
    if not history.is_remainder_known:
        return []
    pushed = {operation.jid for operation in history.operations if operation.kind == "push" and operation.outcome == OK}
    # An ACK of unknown outcome may be the one that took effect.
    done = {
        operation.jid
        for operation in history.operations
        if operation.kind == "ack" and operation.outcome in (OK, UNKNOWN)
    }
    held = {jid for jids in history.remainder.values() for jid in jids}
    gone = pushed - done - held - taken_away(history)
    expected, found = history.backlog
    missing = [f"{expected - found} of {expected} jobs of the backlog are gone"] if found < expected else []
    return [f"{jid} was acknowledged and is gone" for jid in sorted(gone)] + missing


def taken_away(history):
    """The jobs that a FLUSH may have had: their PUSH began before its first effect was seen, or it may take effect yet."""
    flushes = [entry for entry in history.deferred if entry.is_for_all]
    if not flushes:
        return set()
    last = max(_latest_effect(entry) for entry in flushes)
    return {operation.jid for operation in history.operations if operation.kind == "push" and operation.began <= last}


def _latest_effect(entry):
    """Until when a FLUSH may have taken jobs away; one that got no answer may be carried out at any time."""
    if entry.effect:
        return entry.effect
    return float("inf") if entry.outcome == UNKNOWN else entry.ended or float("inf")


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
    if not history.is_remainder_known:
        return []
    failures = {}
    for operation in history.operations:
        if operation.kind == "fail" and operation.outcome == OK:
            failures[operation.jid] = max(operation.ended, failures.get(operation.jid, 0))
    held = {jid for jids in history.remainder.values() for jid in jids}
    flushed = taken_away(history)
    latest = {}
    for execution in history.executions:
        latest[execution.jid] = max(execution.began, latest.get(execution.jid, 0))
    return [
        f"{jid} failed and was never tried again"
        for jid, failed in sorted(failures.items())
        if latest.get(jid, 0) < failed and jid not in held and jid not in flushed
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
    # A FAIL of a job that was flushed has nothing to fail.
    flushed = taken_away(history)
    return [
        f"the {operation.kind} of {operation.jid} was answered with an error"
        for operation in history.operations
        if operation.outcome == REFUSED and not (operation.kind == "fail" and operation.jid in flushed)
    ]


def not_served(history, recovery):
    """I17: a front that does not serve again ten seconds after a fault has ended."""
    found = []
    for fault in history.faults:
        for host, served in sorted(fault.served.items()):
            if served is None:
                found.append(f"the front of host {host} did not serve again after {fault.name}")
            elif served - fault.whole > recovery:
                found.append(f"the front of host {host} served {served - fault.whole:.1f} s after {fault.name} had ended")
    return found


def out_of_order(history):
    """I18: a client that half-closed is answered in the order of its commands, and is given what it has just pushed."""
    found = []
    for pipeline in history.pipelines:
        told = f"{' '.join(pipeline.expected)} was answered with {' '.join(pipeline.replies) or 'nothing'}"
        given = ["job" if reply == "none" else reply for reply in pipeline.replies]
        if given != pipeline.expected[: len(given)]:
            found.append(told)
        elif "none" in pipeline.replies or len(given) < len(pipeline.expected):
            # While a fault lasts a connection may break, and a FETCH may be in vain.
            if not any(_strikes(fault, pipeline) for fault in history.faults):
                found.append(told)
    return found


def _strikes(fault, pipeline):
    """Whether a client may have felt a fault while it waited for replies."""
    until = float("inf") if fault.whole is None else fault.whole + RECOVERY
    return pipeline.began < until and (pipeline.ended is None or fault.struck < pipeline.ended)


def carried_out_wrongly(history):
    """I19: a command for many jobs that takes some that were pushed later, or leaves some that it was for."""
    problems = []
    for entry in history.deferred:
        found = set(entry.found)
        gone = len(set(entry.after) - found)
        if gone:
            problems.append(f"{gone} of {len(entry.after)} jobs pushed after the first effect of {entry.command} are gone")
        left = len(set(entry.before) & found)
        if left and entry.outcome == OK:
            problems.append(f"{left} jobs were left by a {entry.command} that was answered")
        if len(found) < len(entry.found):
            problems.append(f"{len(entry.found) - len(found)} jobs came twice after {entry.command}")
    return problems + _back_after_flush(history)


def _back_after_flush(history):
    """Jobs that were pushed before a FLUSH and given out after its answer."""
    pushed = {
        operation.jid: operation.ended
        for operation in history.operations
        if operation.kind == "push" and operation.outcome == OK
    }
    return [
        f"{execution.jid} was given out after a FLUSH that it was pushed before"
        for entry in history.deferred
        if entry.is_for_all and entry.outcome == OK
        for execution in history.executions
        if pushed.get(execution.jid, float("inf")) < entry.began and execution.began > entry.ended + ON_ITS_WAY
    ]


def altered(history):
    """I20: a job whose arguments are not those that it was pushed with."""
    return [f"{execution.jid} was not what had been pushed" for execution in history.executions if not execution.is_intact]
