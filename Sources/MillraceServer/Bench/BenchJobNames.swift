package import NIOCore

/// The names of a run's jobs and queues, which no other run has.
package struct BenchJobNames: Sendable {
    /// How many decimal digits a job's number has.
    private static let digitCount = 8
    private static let marker = Array("\"jid\":\"".utf8)

    private let prefix: [UInt8]
    /// What all names of the run begin with.
    let run: String

    package init(seed: UInt32) {
        let digits = String(seed, radix: 16)
        self.run = "bench-" + String(repeating: "0", count: 8 - digits.count) + digits
        self.prefix = Array((self.run + "-").utf8)
    }

    package func jobID(of job: Int) -> String {
        let digits = String(job)
        let padding = String(repeating: "0", count: max(Self.digitCount - digits.count, 0))
        return "\(self.run)-\(padding)\(digits)"
    }

    func queue(_ index: Int) -> String { "\(self.run)-q\(index)" }

    /// The id of a worker process of the run.
    func workerID(_ index: Int) -> String { "\(self.run)-w\(index)" }

    var idleQueue: String { "\(self.run)-idle" }

    /// The number of the job in a server's answer to FETCH; nil when it is none of this run's.
    package func job(in document: ByteBuffer) -> Int? {
        document.withUnsafeReadableBytes { bytes in
            guard let start = Self.end(of: Self.marker, in: bytes) else { return nil }
            let digits = start + self.prefix.count
            let end = digits + Self.digitCount
            guard end < bytes.count, bytes[end] == UInt8(ascii: "\""),
                bytes[start..<digits].elementsEqual(self.prefix)
            else { return nil }
            var number = 0
            for index in digits..<end {
                let digit = bytes[index] &- UInt8(ascii: "0")
                guard digit <= 9 else { return nil }
                number = number * 10 + Int(digit)
            }
            return number
        }
    }

    /// The text of the first `jid`, whatever it is; nil when there is none.
    func jobID(in document: ByteBuffer) -> String? {
        document.withUnsafeReadableBytes { bytes in
            guard let start = Self.end(of: Self.marker, in: bytes) else { return nil }
            return String(decoding: bytes[start...].prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
        }
    }

    private static func end(of marker: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= marker.count else { return nil }
        var index = 0
        while index <= bytes.count - marker.count {
            if bytes[index] == marker[0], bytes[index..<(index + marker.count)].elementsEqual(marker) {
                return index + marker.count
            }
            index += 1
        }
        return nil
    }
}
