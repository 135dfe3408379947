/// Takes the array of a bulk push apart a piece at a time, so that a long one holds up nobody.
///
/// It keeps no bytes: each call is given the same buffer.
package struct JobArrayParser {
    private enum State {
        case beginning
        case inside
        case finished
    }

    private var state = State.beginning
    private var position = 0
    private var count = 0
    /// Why all of it is refused, if the rest turns out to be JSON.
    private var rejection: JobRejection?

    package init() {}

    /// One that has nothing left to take apart.
    package static var finished: JobArrayParser {
        var parser = JobArrayParser()
        parser.state = .finished
        return parser
    }

    /// Whether the end was reached.
    package var isFinished: Bool { self.state == .finished }

    /// The next elements: at the most `count`, and none behind the one with which they have `byteCount` bytes.
    ///
    /// Throws what is wrong with the whole, be it at once or at the end, after which nothing of it may be used. A job that
    /// breaks a rule of its own is an element with its rejection.
    package mutating func next(
        of bytes: UnsafeBufferPointer<UInt8>,
        count: Int,
        byteCount: Int
    ) throws(JobRejection) -> [JobArray.Element] {
        guard bytes.count <= Job.maximumByteCount else { throw .tooLarge(byteCount: bytes.count) }
        var scanner = JSONScanner(bytes, at: self.position)
        var elements: [JobArray.Element] = []
        let end = self.position + min(byteCount, bytes.count)
        if try self.begin(&scanner) {
            elements.reserveCapacity(min(count, bytes.count / 64 + 1))
            var taken = 0
            while self.state == .inside, taken < count, scanner.position < end {
                if let element = try self.element(from: &scanner, of: bytes) { elements.append(element) }
                taken += 1
            }
        }
        self.position = scanner.position
        return elements
    }

    /// Enters the array unless that was done before; whether there is something inside.
    private mutating func begin(_ scanner: inout JSONScanner) throws(JobRejection) -> Bool {
        guard self.state == .beginning else { return self.state == .inside }
        do throws(JSONError) {
            scanner.skipWhitespace()
            guard try scanner.current() == UInt8(ascii: "[") else {
                let start = scanner.position
                let kind = try scanner.skipValue(insideDepth: 0)
                try scanner.finish()
                guard kind == .null else {
                    let reason = "json: cannot unmarshal \(kind.name) into Go value of type []*client.Job"
                    throw JSONError(message: reason, offset: start)
                }
                self.state = .finished
                return false
            }
            guard try scanner.open(closedBy: UInt8(ascii: "]")) else {
                try scanner.finish()
                self.state = .finished
                return false
            }
        } catch {
            throw .invalidJSON(error.message)
        }
        self.state = .inside
        return true
    }

    /// The element that is next; nil when all is refused already, and only the rest is looked at.
    private mutating func element(
        from scanner: inout JSONScanner,
        of bytes: UnsafeBufferPointer<UInt8>
    ) throws(JobRejection) -> JobArray.Element? {
        let scan: JobScan
        do throws(JSONError) {
            scan = try JobScan(from: &scanner, insideDepth: 1)
            self.count += 1
            guard self.count <= JobArray.maximumCount else { throw JSONError(message: "", offset: 0) }
            if try !scanner.continueArray() {
                try scanner.finish()
                self.state = .finished
            }
        } catch {
            guard self.count <= JobArray.maximumCount else { throw .tooManyJobs(limit: JobArray.maximumCount) }
            throw .invalidJSON(error.message)
        }
        guard self.rejection == nil else { return try self.end(with: nil) }
        do throws(JobRejection) {
            return try self.end(with: try JobArray.element(scan, of: bytes))
        } catch {
            self.rejection = error
            return try self.end(with: nil)
        }
    }

    private func end(with element: JobArray.Element?) throws(JobRejection) -> JobArray.Element? {
        if self.state == .finished, let rejection = self.rejection { throw rejection }
        return element
    }
}
