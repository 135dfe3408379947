import ClusterLink
import FaktoryWire
import JobCore

/// What a front does with one line of a client.
enum Intake {
    /// Send it to the leader. Nothing of the connection may follow a command that is alone until that is answered.
    case forward(LinkCommand.Body, isAlone: Bool)
    /// Answer it here.
    case reject(String)
    /// Close the connection, when everything before is answered.
    case end

    /// - Parameters:
    ///   - worker: the wid of the connection's HELLO, empty when there was none.
    ///   - fetchWait: how long a FETCH may wait for a job, in milliseconds.
    init(_ command: Command, worker: String, fetchWait: UInt32) {
        switch command {
        case .push(let job):
            self = .forward(.push(job: Array(job)), isAlone: false)
        case .pushBulk(let jobs):
            // The leader may carry out a long one in slices, between which nothing of this client may be done.
            let isLong = jobs.count > LinkBound.promptBulkByteCount
            self = .forward(.pushBulk(jobs: Array(jobs)), isAlone: isLong)
        case .fetch(let queues):
            let body = LinkCommand.Body.fetch(worker: worker, queues: queues, waitMilliseconds: fetchWait)
            self = .forward(body, isAlone: true)
        case .acknowledge(let jobID):
            self = .forward(.acknowledge(jobID: jobID.text), isAlone: false)
        case .fail(let failure):
            let body = LinkCommand.Body.fail(
                jobID: failure.jobID.text,
                errorType: failure.errorType,
                message: failure.message,
                backtrace: failure.backtrace
            )
            self = .forward(body, isAlone: false)
        case .beat(let beat):
            let body = LinkCommand.Body.beat(
                worker: beat.worker.text,
                state: beat.currentState,
                residentKilobytes: UInt64(clamping: beat.residentKilobytes)
            )
            self = .forward(body, isAlone: false)
        case .info:
            self = .forward(.info, isAlone: true)
        case .flush:
            self = .forward(.flush, isAlone: true)
        case .queue(let command):
            self = .forward(LinkCommand.Body(command), isAlone: true)
        case .mutate(let mutation):
            // A longer list would make the whole batch unreadable to the leader.
            guard mutation.filter.map({ $0.ids.count <= LinkBound.filteredJobCount }) ?? true else {
                self = .reject("cannot name more than \(LinkBound.filteredJobCount) jobs")
                return
            }
            self = .forward(.mutate(MutationRequest(mutation)), isAlone: true)
        case .track:
            self = .reject("tracking subsystem is only available in Faktory Enterprise")
        case .batch:
            self = .reject("batch subsystem is only available in Faktory Enterprise")
        case .end:
            self = .end
        case .rejected(let text):
            self = .reject(text)
        }
    }
}

extension LinkCommand.Body {
    fileprivate init(_ command: QueueCommand) {
        switch command {
        case .pause(let selection): self = .queue(.pause, names: QueueSelection(selection))
        case .resume(let selection): self = .queue(.resume, names: QueueSelection(selection))
        case .remove(let selection): self = .queue(.remove, names: QueueSelection(selection))
        case .latency(let queues): self = .latency(queues: queues)
        }
    }
}

extension QueueSelection {
    fileprivate init(_ selection: QueueCommand.Selection) {
        switch selection {
        case .all: self = .all
        case .names(let names): self = .named(names)
        }
    }
}

extension MutationRequest {
    fileprivate init(_ mutation: Mutation) {
        self.init(
            operation: mutation.operation.rawValue,
            target: mutation.target.rawValue,
            filter: mutation.filter.map { filter in
                Filter(
                    jobIDs: filter.ids,
                    pattern: filter.pattern?.text,
                    jobType: filter.type
                )
            }
        )
    }
}
