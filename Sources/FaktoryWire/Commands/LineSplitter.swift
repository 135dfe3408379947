package import NIOCore

/// Cuts what arrives on a connection into lines.
///
/// Each byte is looked at once, however small the pieces are. A line ends with LF or CRLF, neither of which is part of
/// it. What is not ended yet is kept, up to the longest line that is allowed.
package struct LineSplitter {
    /// The longest line, in bytes without its end, unless another bound is set.
    package static let defaultMaximumByteCount = 8 * 1024 * 1024

    /// A line has more bytes than are allowed; nothing that comes after it can be understood.
    package struct LineTooLong: Error, Equatable {
        /// The bound that was broken.
        package let maximumByteCount: Int

        /// The text for `-ERR `.
        package var message: String { "line is longer than \(self.maximumByteCount) bytes" }
    }

    /// Storage that has grown beyond this is let go once nothing is in it.
    private static let keptCapacity = 64 * 1024

    private let maximumByteCount: Int
    private var pending = ByteBuffer()
    /// How many of the pending bytes are known to hold no LF.
    private var searchedByteCount = 0
    private var hasFailed = false

    package init(maximumByteCount: Int = Self.defaultMaximumByteCount) {
        precondition(maximumByteCount > 0, "a line of at most \(maximumByteCount) bytes")
        self.maximumByteCount = maximumByteCount
    }

    /// How many bytes are kept that no line was made of yet.
    package var pendingByteCount: Int { self.pending.readableBytes }

    /// How many bytes are reserved for what is kept.
    package var reservedByteCount: Int { self.pending.capacity }

    /// Takes what arrived; after a line was too long, drops it.
    package mutating func append(_ piece: ByteBuffer) {
        guard !self.hasFailed else { return }
        guard self.pending.readableBytes > 0 else {
            self.pending = piece
            return
        }
        // Moves fewer bytes than were read since the last time, so that it is paid for.
        if self.pending.readerIndex > self.pending.readableBytes { self.pending.discardReadBytes() }
        self.pending.writeImmutableBuffer(piece)
    }

    /// The next line without its end; nil when no whole line has arrived.
    ///
    /// Throws once when a line is too long; from then on there are no more lines.
    package mutating func next() throws(LineTooLong) -> ByteBuffer? {
        guard let lineFeed = self.findLineFeed() else {
            self.searchedByteCount = self.pending.readableBytes
            try self.check(self.byteCountWithoutCarriageReturn(before: self.pending.readableBytes))
            return nil
        }
        let byteCount = self.byteCountWithoutCarriageReturn(before: lineFeed)
        try self.check(byteCount)
        let line = self.pending.readSlice(length: byteCount)
        self.pending.moveReaderIndex(forwardBy: lineFeed + 1 - byteCount)
        self.searchedByteCount = 0
        // A connection that has sent one long line must not keep its room for ever.
        if self.pending.readableBytes == 0, self.pending.capacity > Self.keptCapacity { self.pending = ByteBuffer() }
        return line
    }

    private func findLineFeed() -> Int? {
        let searched = self.searchedByteCount
        return self.pending.readableBytesView.dropFirst(searched).firstIndex(of: UInt8(ascii: "\n"))
            .map { $0 - self.pending.readerIndex }
    }

    private func byteCountWithoutCarriageReturn(before end: Int) -> Int {
        guard end > 0 else { return 0 }
        let last = self.pending.getInteger(at: self.pending.readerIndex + end - 1, as: UInt8.self)
        return last == UInt8(ascii: "\r") ? end - 1 : end
    }

    private mutating func check(_ byteCount: Int) throws(LineTooLong) {
        guard byteCount > self.maximumByteCount else { return }
        self.hasFailed = true
        self.pending = ByteBuffer()
        self.searchedByteCount = 0
        throw LineTooLong(maximumByteCount: self.maximumByteCount)
    }
}
