package import JobCore

/// A sign of life of a worker process (the argument of BEAT).
package struct WorkerBeat: Equatable, Sendable {
    package let worker: WorkerID
    /// What the worker says it is going to be: `quiet`, `terminate`, or nothing.
    package let currentState: String
    /// The memory that the process holds, in KiB; 0 when it does not say.
    package let residentKilobytes: Int

    package init(worker: WorkerID, currentState: String = "", residentKilobytes: Int = 0) {
        self.worker = worker
        self.currentState = currentState
        self.residentKilobytes = residentKilobytes
    }

    /// Nil when the text is no JSON object, or a member has a value of the wrong type; null counts as absent.
    init?(parsing argument: UnsafeBufferPointer<UInt8>) {
        guard let document = try? JSONValue(parsing: argument), document.kind == .object || document == .null else {
            return nil
        }
        let worker = document.field("wid") ?? ""
        let state = document.field("current_state") ?? ""
        let memory = document.field("rss_kb") ?? 0
        guard let worker = worker.string, let state = state.string, let memory = memory.integer else { return nil }
        self.init(worker: WorkerID(worker), currentState: state, residentKilobytes: memory)
    }
}
