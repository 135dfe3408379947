import ClusterLink
import JobCore

/// The JSON of a job, with more members behind those that it must have.
func payload(_ jobID: String, queue: String = "default", _ members: String = "") -> [UInt8] {
    let rest = members.isEmpty ? "" : ",\(members)"
    return Array(#"{"jid":"\#(jobID)","queue":"\#(queue)","jobtype":"ShipOrder","args":[17]\#(rest)}"#.utf8)
}

func makeJob(_ jobID: String, queue: String = "default", _ members: String = "") throws -> Job {
    try Job(parsing: payload(jobID, queue: queue, members))
}

func queue(_ name: String) throws -> QueueName {
    try QueueName(parsing: name)
}

extension LinkCommand.Body {
    static func push(_ jobID: String, queue: String = "default", _ members: String = "") -> Self {
        .push(job: payload(jobID, queue: queue, members))
    }

    static func fetch(_ queues: String..., worker: String = "worker-1", wait: UInt32 = 1_900) -> Self {
        .fetch(worker: worker, queues: queues, waitMilliseconds: wait)
    }

    static func acknowledge(_ jobID: String) -> Self {
        .acknowledge(jobID: jobID)
    }

    static func fail(_ jobID: String) -> Self {
        .fail(jobID: jobID, errorType: "Timeout", message: "the printer is jammed", backtrace: [])
    }

    static func beat(_ worker: String, _ state: String = "") -> Self {
        .beat(worker: worker, state: state, residentKilobytes: 54_176)
    }

    static func joined(_ worker: String) -> Self {
        .workerJoined(
            WorkerIntroduction(
                worker: worker,
                hostname: "host",
                processID: 17,
                labels: ["test"],
                residentKilobytes: 0
            )
        )
    }

    static func mutate(
        _ operation: String,
        _ target: String,
        jobIDs: [String]? = nil,
        pattern: String? = nil,
        type: String? = nil,
        emptyFilter: Bool = false
    ) -> Self {
        let hasFilter = jobIDs != nil || pattern != nil || type != nil || emptyFilter
        let filter = MutationRequest.Filter(jobIDs: JobIDList(jobIDs ?? []), pattern: pattern, jobType: type)
        return .mutate(MutationRequest(operation: operation, target: target, filter: hasFilter ? filter : nil))
    }
}
