import JobCore
import Manager

/// Refuses a job while another of its kind waits or runs.
///
/// A job takes part by naming itself: `"custom": {"unique_key": "invoice-7"}`. The name is taken when the job is pushed, and
/// free again when it is acknowledged. A taken name holds the jid of its owner, so that nobody else can free it.
///
/// The name is stored with the command's own atomic unit: there is no moment at which the job is in and its name is not.
/// What this example leaves out is an end for names whose job died or was deleted; a real one would
/// store a time beside the jid.
struct UniqueJobs: Sendable {
    private static let field = "unique_key"

    func push(_ context: JobContext, next: () throws -> Void) throws {
        guard let key = Self.key(of: context.job) else { return try next() }
        let values = context.manager.keyValues
        if try values.value(forKey: key) != nil {
            throw KnownError.halt(code: "NOTUNIQUE", message: "Job not unique")
        }
        values.set(Array(context.job.id.text.utf8), forKey: key)
        try next()
    }

    func acknowledge(_ context: JobContext, next: () throws -> Void) throws {
        try next()
        guard let key = Self.key(of: context.job) else { return }
        let values = context.manager.keyValues
        guard try values.value(forKey: key) == Array(context.job.id.text.utf8) else { return }
        values.removeValue(forKey: key)
    }

    private static func key(of job: Job) -> String? {
        guard let json = job.customValue(Self.field) else { return nil }
        return "unique:\(job.type):\(String(decoding: json, as: UTF8.self))"
    }
}
