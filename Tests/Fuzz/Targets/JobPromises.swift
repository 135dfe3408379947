import JobCore

/// A payload that was taken comes out as it came in, and says the same as the job's properties after each change.
enum JobPromises {
    /// The keys that mean something to the server; all other members are the client's own.
    private static let knownKeys = [
        "retry", "failure", "custom", "jid", "queue", "jobtype", "created_at", "enqueued_at", "at", "args",
        "reserve_for", "backtrace",
    ]

    /// The input is a payload of PUSH, of PUSHB, or of neither.
    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        let outcome = self.parse(input)
        try self.checkArray(of: input, outcome)
        switch outcome {
        case .failure(let rejection):
            try BrokenPromise.unlessOneLine(rejection.message)
        case .success(let job):
            try self.checkKept(input, in: job)
            try self.checkSecondParse(of: job)
            try self.checkChanges(of: job)
        }
        guard let array = try? JobArray(parsing: input) else { return }
        for case .success(let job) in array.elements.map(\.job) { try self.checkSecondParse(of: job) }
    }

    private static func parse(_ input: [UInt8]) -> Result<Job, JobRejection> {
        do throws(JobRejection) {
            return .success(try Job(parsing: input))
        } catch {
            return .failure(error)
        }
    }

    /// An array of this one job is read in the same way, but for its depth.
    private static func checkArray(of input: [UInt8], _ outcome: Result<Job, JobRejection>) throws(BrokenPromise) {
        let elements: [JobArray.Element]
        do throws(JobRejection) {
            elements = try JobArray(parsing: [UInt8(ascii: "[")] + input + [UInt8(ascii: "]")]).elements
        } catch {
            try BrokenPromise.unlessOneLine(error.message)
            switch outcome {
            case .failure(.invalidJSON): return
            default:
                let isTooDeep = error == .invalidJSON("exceeded max depth")
                return try BrokenPromise.unless(isTooDeep, "an array is refused for a job that is not: \(error)")
            }
        }
        switch (outcome, elements.first?.job) {
        case (.success(let job), .success(let element)):
            try BrokenPromise.unless(job.payload == element.payload, "a job is the same in an array")
        case (.failure(.invalidJSON), _):
            break
        case (.failure(let rejection), .failure(let other)):
            try BrokenPromise.unless(rejection == other, "\(rejection) is \(other) in an array")
        default:
            throw BrokenPromise("a job is taken alone or in an array, but not both")
        }
    }

    /// The client's members are all there, in their order and with their values; where nothing was to be put right, so
    /// are the bytes.
    private static func checkKept(_ input: [UInt8], in job: Job) throws(BrokenPromise) {
        try BrokenPromise.unless(!job.payload.contains { $0 == 0x0A || $0 == 0x0D }, "a payload has no line break")
        // The tree takes less depth than a job may have.
        guard case .object(let before)? = try? JSONValue(parsing: input),
            case .object(let after)? = try? JSONValue(parsing: job.payload)
        else { return }
        let own = before.filter { !self.isKnown($0.key) }
        try BrokenPromise.unless(own == after.filter { !self.isKnown($0.key) }, "the client's members are kept")
        for key in self.knownKeys {
            let kept = JSONValue.object(after).field(key)
            var expected = JSONValue.object(before).field(key)
            if key == "retry" { expected = expected ?? 25 }
            if key == "queue", expected == nil || expected == "" { expected = "default" }
            try BrokenPromise.unless(kept == expected, "\(key) is kept")
            try BrokenPromise.unless(after.count { $0.key == key } <= 1, "\(key) comes once")
        }

        let isCanonical = self.knownKeys.allSatisfy { key in
            let members = before.filter { JSONText.keysMatch($0.key, key) }
            return members.count <= 1 && members.allSatisfy { $0.key == key }
        }
        let document = JSONValue.object(before)
        let queue = document.field("queue")
        guard isCanonical, document.field("retry") != nil, queue != nil, queue != "",
            !input.contains(where: { $0 == UInt8(ascii: "\\") || $0 == 0x0A || $0 == 0x0D })
        else { return }
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let trimmed = input.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        try BrokenPromise.unless(job.payload.elementsEqual(trimmed), "a payload comes out as it came in")
    }

    private static func isKnown(_ key: String) -> Bool {
        self.knownKeys.contains { JSONText.keysMatch(key, $0) }
    }

    /// The payload is taken again, to the last byte, and means the same.
    private static func checkSecondParse(of job: Job) throws(BrokenPromise) {
        let second: Job
        do throws(JobRejection) {
            second = try Job(parsing: job.payload)
        } catch {
            throw BrokenPromise("a payload is taken again, not refused: \(error)")
        }
        try BrokenPromise.unless(second.payload == job.payload, "a second parse changes nothing")
        let isSame =
            second.id == job.id && second.type == job.type && second.queue == job.queue && second.retry == job.retry
            && second.reserveFor == job.reserveFor && second.backtraceLines == job.backtraceLines && second.at == job.at
            && second.createdAt == job.createdAt && second.enqueuedAt == job.enqueuedAt
            && second.failure == job.failure && second.arguments.elementsEqual(job.arguments)
            && (second.custom.map(Array.init) == job.custom.map(Array.init))
        try BrokenPromise.unless(isSame, "a second parse reads the same properties")
        let rendering = job.upstreamRendering.withUnsafeBufferPointer { bytes in
            try? JSONScanner.forEachMember(of: bytes) { _, _ in }
        }
        try BrokenPromise.unless(rendering == true, "the rendering for patterns is an object")
    }

    /// Everything that the server writes into a payload, in two orders.
    private static func checkChanges(of original: Job) throws(BrokenPromise) {
        var job = original
        try self.checkTimes(in: &job)
        try self.checkCustom(in: &job)
        try self.checkFailure(in: &job)
        try BrokenPromise.unless(job.arguments == original.arguments, "the arguments are kept")

        job = original
        try self.checkFailure(in: &job)
        try self.checkCustom(in: &job)
        try self.checkTimes(in: &job)
    }

    private static func checkTimes(in job: inout Job) throws(BrokenPromise) {
        let time = WallTime(rfc3339: "2026-03-01T12:30:00.123456789Z")
        guard let time else { throw BrokenPromise("a time stamp is read") }
        job.setCreatedAtIfMissing(time)
        try self.checkSecondParse(of: job)
        job.markEnqueued(at: time)
        try BrokenPromise.unless(job.enqueuedAt == time, "the time of enqueueing is written down")
        try self.checkSecondParse(of: job)
        job.removeEnqueuedAt()
        try BrokenPromise.unless(job.enqueuedAt == nil, "the time of enqueueing is forgotten")
        try self.checkSecondParse(of: job)
    }

    private static func checkFailure(in job: inout Job) throws(BrokenPromise) {
        let failure = Failure(failedAt: nil, message: job.type, errorType: job.id.text, retryCount: 1, remaining: 2)
        job.record(failure)
        try BrokenPromise.unless(job.failure == failure, "a failure is written down")
        try self.checkSecondParse(of: job)
    }

    /// Custom values under keys and with values that the client chose.
    private static func checkCustom(in job: inout Job) throws(BrokenPromise) {
        for key in ["trace", job.type] {
            let value = [UInt8](job.arguments)
            do throws(JobRejection) {
                try job.setCustom(key, to: value)
            } catch {
                // Two levels deeper than they were, arguments may be too deep.
                try BrokenPromise.unless(error == .invalidJSON("exceeded max depth"), "a value is taken: \(error)")
                continue
            }
            let kept = job.customValue(key)
            try BrokenPromise.unless(kept?.elementsEqual(value) == true, "a custom value is kept")
            if case .object(let members)? = job.custom.flatMap({ try? JSONValue(parsing: $0) }) {
                let hasKey = members.contains { $0.key.utf8.elementsEqual(key.utf8) }
                try BrokenPromise.unless(hasKey, "a custom value is kept under exactly its key")
            }
            try self.checkSecondParse(of: job)
        }
    }
}
