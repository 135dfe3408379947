/// The jobs of one bulk push.
public struct JobArray: Sendable {
    /// How many jobs one bulk push may have.
    public static let maximumCount = 100_000

    /// One element of the array.
    public struct Element: Sendable {
        /// The `jid` as far as it can be read, whether or not it is acceptable; empty when there is none.
        ///
        /// A rejection is reported under it.
        public let id: String
        public let job: Result<Job, JobRejection>
    }

    /// In the order of the array.
    public let elements: [Element]

    /// Takes an array of jobs, or null for none.
    ///
    /// A job that breaks a rule is an element of its own with its rejection. A text that is no JSON, or has a value of
    /// the wrong type anywhere, is rejected as a whole, as upstream does: nothing of it is to be stored.
    public init(parsing bytes: [UInt8]) throws(JobRejection) {
        self = try bytes.withUnsafeBufferPointer { (bytes) throws(JobRejection) in try JobArray(parsing: bytes) }
    }

    package init(parsing bytes: UnsafeBufferPointer<UInt8>) throws(JobRejection) {
        var parser = JobArrayParser()
        self.elements = try parser.next(of: bytes, count: .max, byteCount: bytes.count)
    }

    /// Makes an element of what a scan found; throws when all of the array is to be refused for it.
    static func element(_ scan: JobScan, of bytes: UnsafeBufferPointer<UInt8>) throws(JobRejection) -> Element {
        do throws(JobRejection) {
            let job = try Job(scan, of: bytes)
            return Element(id: job.id.text, job: .success(job))
        } catch .invalidJSON(let reason) {
            throw .invalidJSON(reason)
        } catch {
            let reader = JobReader(bytes: UnsafeBufferPointer(rebasing: bytes[scan.range]), layout: scan.layout)
            let id = scan.kind == .object ? reader.text(.id) : nil
            return Element(id: id ?? "", job: .failure(error))
        }
    }
}
