package import JobCore

/// One thing that a front asks of the leader, nearly always on behalf of a client.
///
/// Each command has a number of its own within the lane; `fetch` is sent again under the
/// same number after a fail-over, so that a job that was already given to it is found.
package struct LinkCommand: Sendable {
    /// The number by which a late answer names this command.
    package var request: UInt64
    package var body: Body

    package init(request: UInt64, _ body: Body) {
        self.request = request
        self.body = body
    }

    package enum Body: Sendable {
        /// PUSH: the job as the client wrote it, unchecked.
        case push(job: [UInt8])
        /// PUSHB: the array as the client wrote it, unchecked.
        case pushBulk(jobs: [UInt8])
        /// FETCH: wait for a job of these queues, at the most this long.
        case fetch(worker: String, queues: [String], waitMilliseconds: UInt32)
        /// The client of that fetch is gone: forget it, and take back what it was given.
        case withdraw
        case acknowledge(jobID: String)
        case fail(jobID: String, errorType: String, message: String, backtrace: [String])
        case beat(worker: String, state: String, residentKilobytes: UInt64)
        case info
        case flush
        case queue(QueueAction, names: QueueSelection)
        case latency(queues: [String])
        case mutate(MutationRequest)
        /// A connection of this worker process has said HELLO.
        case workerJoined(WorkerIntroduction)
        /// The connection that was announced under this number has closed.
        case workerLeft(worker: String)
    }
}

/// What QUEUE does to the queues that it names.
package enum QueueAction: UInt8, Sendable, CaseIterable {
    case pause = 1
    case resume = 2
    case remove = 3
}

/// The queues that a QUEUE command means.
package enum QueueSelection: Hashable, Sendable {
    /// Every queue that is known.
    case all
    case named([String])
}

/// MUTATE, parsed.
package struct MutationRequest: Hashable, Sendable {
    /// The raw value of the operation, as in `Mutation`.
    package var operation: String
    /// The raw value of the target set.
    package var target: String
    /// Nil when the client gave no filter at all, which is not the same as an empty one.
    package var filter: Filter?

    package struct Filter: Hashable, Sendable {
        package var jobIDs: JobIDList
        package var pattern: String?
        package var jobType: String?

        package init(jobIDs: JobIDList, pattern: String?, jobType: String?) {
            self.jobIDs = jobIDs
            self.pattern = pattern
            self.jobType = jobType
        }
    }

    package init(operation: String, target: String, filter: Filter?) {
        self.operation = operation
        self.target = target
        self.filter = filter
    }
}

/// Who a worker process says it is, in HELLO.
package struct WorkerIntroduction: Hashable, Sendable {
    package var worker: String
    package var hostname: String
    package var processID: Int64
    package var labels: [String]
    package var residentKilobytes: UInt64

    package init(worker: String, hostname: String, processID: Int64, labels: [String], residentKilobytes: UInt64) {
        self.worker = worker
        self.hostname = hostname
        self.processID = processID
        self.labels = labels
        self.residentKilobytes = residentKilobytes
    }
}
