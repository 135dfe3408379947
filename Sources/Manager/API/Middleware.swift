public import JobCore

/// The moments at which middleware runs.
public enum MiddlewareKind: String, Hashable, Sendable, CaseIterable {
    /// A client pushes a job; also one that is scheduled for later, but not again when its time comes.
    case push
    /// A job is about to be handed out.
    case fetch
    /// A job has been acknowledged.
    case acknowledge
    /// A job has failed, or its reservation has expired.
    case fail
}

/// One link of a chain: do something, and call `next` to go on.
///
/// Not calling `next` ends the chain there. Throw `KnownError.halt` to refuse, `KnownError.discard` to drop the job.
/// A link runs in the leader's loop, where it must not wait for anything; what it wants to have stored it
/// asks of `context.manager`, and it joins the same atomic unit as the command. A job that is pushed or fetched is stored or
/// reserved when all links have returned, so that a link which throws behind `next` still stops it.
public typealias MiddlewareFunction = (_ context: JobContext, _ next: () throws -> Void) throws -> Void

/// What a link sees of the command (`Context` and `Ctx` of the Manager API).
public final class JobContext {
    public let kind: MiddlewareKind
    /// The job.
    ///
    /// What a push or fetch link changes is what is stored or handed out.
    public var job: Job
    /// The reservation that is about to end; nil at push and fetch.
    public let reservation: Reservation?
    /// Why the job failed; nil but at fail.
    public let failure: FailPayload?
    /// The manager, for everything else.
    public let manager: JobManager

    init(kind: MiddlewareKind, job: Job, reservation: Reservation?, failure: FailPayload?, manager: JobManager) {
        self.kind = kind
        self.job = job
        self.reservation = reservation
        self.failure = failure
        self.manager = manager
    }
}

/// The links for one kind of command; the first that was added is the outermost.
public struct MiddlewareChain {
    private var links: [MiddlewareFunction] = []

    public init() {}

    /// Whether there is nothing to run.
    public var isEmpty: Bool { self.links.isEmpty }

    /// Adds a link inside all others.
    public mutating func add(_ link: @escaping MiddlewareFunction) {
        self.links.append(link)
    }

    /// Runs the links from the outermost to the innermost, and `final` when all of them have called on.
    public func run(_ context: JobContext, final: () throws -> Void) throws {
        try self.run(from: 0, context, final: final)
    }

    private func run(from index: Int, _ context: JobContext, final: () throws -> Void) throws {
        guard index < self.links.count else { return try final() }
        try self.links[index](context) {
            try self.run(from: index + 1, context, final: final)
        }
    }
}
