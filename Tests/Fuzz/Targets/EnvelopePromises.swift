import ClusterLink

/// A message that can be read is written so that it is read as the same.
enum EnvelopePromises {
    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        try self.check(input) { (bytes) throws(LinkFormatError) in try MessageToLeader(decoding: bytes).encoded() }
        try self.check(input) { (bytes) throws(LinkFormatError) in try MessageFromLeader(decoding: bytes).encoded() }
    }

    /// Texts that are no UTF-8 are put right by the first reading; after it nothing changes.
    private static func check(
        _ input: [UInt8],
        _ recode: (UnsafeRawBufferPointer) throws(LinkFormatError) -> [UInt8]
    ) throws(BrokenPromise) {
        guard let written = try? input.withUnsafeBytes(recode) else { return }
        do {
            let again = try written.withUnsafeBytes(recode)
            try BrokenPromise.unless(again == written, "a message is written as it was read")
        } catch let error as BrokenPromise {
            throw error
        } catch {
            throw BrokenPromise("a message that was written is read, not refused: \(error)")
        }
    }
}
