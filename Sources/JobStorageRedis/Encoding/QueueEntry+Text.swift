import JobCore
import JobStorage

/// A queue's entry: the token in decimal, a colon and the jid, so that a list can be read with `redis-cli`.
extension QueueEntry {
    /// Reads an entry; nil for a text that none was written as.
    init?(reading bytes: UnsafeRawBufferPointer) {
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
            let token = UInt64(decimal: UnsafeRawBufferPointer(rebasing: bytes[..<colon]))
        else { return nil }
        let jobID = String(decoding: bytes[(colon + 1)...], as: UTF8.self)
        self.init(token: token, jobID: JobID(jobID))
    }
}

extension UInt64 {
    /// Reads one to twenty decimal digits and nothing else.
    init?(decimal bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return nil }
        var number: UInt64 = 0
        for byte in bytes {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = product.addingReportingOverflow(UInt64(digit))
            guard !isTooLarge, !overflows else { return nil }
            number = sum
        }
        self = number
    }

    /// How many digits the number has in decimal.
    var decimalDigitCount: Int {
        var count = 1
        var rest = self
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return count
    }

    /// Writes the digits to memory that has ``decimalDigitCount`` bytes.
    func writeDecimal(to memory: UnsafeMutableRawBufferPointer) {
        var rest = self
        for index in memory.indices.reversed() {
            memory[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}
