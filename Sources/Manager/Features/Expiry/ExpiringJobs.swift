import JobCore
import Logging

/// Jobs that are not worth running after a time (`expires_at` and `expires_in`, as Faktory Enterprise has them).
///
/// A FETCH that finds one drops it and goes on with the next; it counts neither as done nor as failed. Until then it stands in
/// its queue. A job that was handed out in time runs to its end.
struct ExpiringJobs: JobFeature {
    static let names = FeatureNames(flat: ["expires_at", "expires_in", Self.endKey], own: [])

    /// Where the server notes the end that it has worked out of `expires_in`, which counts from the PUSH.
    static let endKey = "_expires_at"

    func admit(_ job: inout Job, _ options: JobOptions, in manager: JobManager) throws(KnownError) -> Bool {
        let length = try options.seconds("expires_in")
        let end = try options.time("expires_at")
        guard let length, end == nil else {
            // A client may have copied it from a job that it was given.
            _ = try options.time(Self.endKey)
            return true
        }
        var value: [UInt8] = [UInt8(ascii: "\"")]
        (manager.now.wall + length).appendRFC3339(to: &value)
        value.append(UInt8(ascii: "\""))
        do {
            try job.setCustom(Self.endKey, to: value)
        } catch {
            throw .expected(code: "ERR", message: error.message)
        }
        return true
    }

    func outcome(ofTaking job: Job, _ options: JobOptions, in manager: JobManager) -> Outcome? {
        let end = (try? options.time("expires_at")) ?? (try? options.time(Self.endKey))
        guard let end, end <= manager.now.wall else { return nil }
        manager.logger.debug("a job has expired", metadata: ["jid": "\(job.id)", "queue": "\(job.queue)"])
        return .expired
    }
}
