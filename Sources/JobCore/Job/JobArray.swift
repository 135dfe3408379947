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
        guard bytes.count <= Job.maximumByteCount else { throw .tooLarge(byteCount: bytes.count) }
        let scans: [JobScan]
        do throws(JSONError) {
            scans = try Self.scan(bytes)
        } catch {
            throw .invalidJSON(error.message)
        }
        guard scans.count <= Self.maximumCount else { throw .tooManyJobs(limit: Self.maximumCount) }

        var elements: [Element] = []
        elements.reserveCapacity(scans.count)
        for scan in scans {
            elements.append(try Self.element(scan, of: bytes))
        }
        self.elements = elements
    }

    /// Finds the jobs in one walk; stops one after the most that are taken.
    private static func scan(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) -> [JobScan] {
        var scanner = JSONScanner(bytes)
        var scans: [JobScan] = []
        scanner.skipWhitespace()
        guard try scanner.current() == UInt8(ascii: "[") else {
            let start = scanner.position
            let kind = try scanner.skipValue(insideDepth: 0)
            try scanner.finish()
            guard kind == .null else {
                let reason = "json: cannot unmarshal \(kind.name) into Go value of type []*client.Job"
                throw JSONError(message: reason, offset: start)
            }
            return scans
        }
        if try scanner.open(closedBy: UInt8(ascii: "]")) {
            repeat {
                scans.append(try JobScan(from: &scanner, insideDepth: 1))
                guard scans.count <= Self.maximumCount else { return scans }
            } while try scanner.continueArray()
        }
        try scanner.finish()
        return scans
    }

    private static func element(_ scan: JobScan, of bytes: UnsafeBufferPointer<UInt8>) throws(JobRejection) -> Element {
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
