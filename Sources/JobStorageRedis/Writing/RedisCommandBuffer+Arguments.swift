import JobCore
import JobStorage
import Redis

extension RedisCommandBuffer {
    /// The most arguments that one command of ours has, its verb and key not counted.
    static let maximumArgumentCount = 100_000

    /// Appends a number in decimal digits.
    mutating func append(_ number: UInt64) {
        self.append(byteCount: number.decimalDigitCount) { number.writeDecimal(to: $0) }
    }

    /// Appends a time as a score.
    mutating func append(_ score: SetScore) {
        self.append(Int(score.microseconds))
    }

    /// Appends an entry of a queue.
    mutating func append(_ entry: QueueEntry) {
        let digitCount = entry.token.decimalDigitCount
        var text = entry.jobID.text
        text.withUTF8 { name in
            self.append(byteCount: digitCount + 1 + name.count) { memory in
                entry.token.writeDecimal(to: UnsafeMutableRawBufferPointer(rebasing: memory[..<digitCount]))
                memory[digitCount] = UInt8(ascii: ":")
                UnsafeMutableRawBufferPointer(rebasing: memory[(digitCount + 1)...])
                    .copyMemory(from: UnsafeRawBufferPointer(name))
            }
        }
    }

    /// Appends a job's record.
    mutating func append(_ job: StoredJob) {
        self.append(byteCount: job.recordByteCount) { job.writeRecord(to: $0) }
    }
}
