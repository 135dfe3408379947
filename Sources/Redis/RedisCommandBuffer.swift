/// Commands as they go over the wire, one behind the other in one piece of memory.
///
/// No argument is allocated or kept by itself, and `removeAll()` keeps the memory, so that a buffer that is used
/// again and again soon allocates nothing.
///
/// The number of arguments is said before them and counted: a command that has too few or too many when the next
/// one begins, or when the buffer is sent, is a mistake in our own code and stops the process.
package struct RedisCommandBuffer: ~Copyable {
    /// The longest prefix of an argument or a command: its sign, twenty digits and the line's end.
    private static let headerByteLimit = 1 + DecimalDigits.limit + 2
    private static let lineEndByteCount = 2

    private var memory: UnsafeMutableRawBufferPointer
    /// Bytes written.
    package private(set) var byteCount = 0
    /// Commands begun.
    package private(set) var commandCount = 0
    private var missingArgumentCount = 0

    package init(reserving byteCount: Int = 4096) {
        self.memory = .allocate(byteCount: max(byteCount, 64), alignment: 1)
    }

    deinit {
        self.memory.deallocate()
    }

    package var isEmpty: Bool { self.commandCount == 0 }

    /// Forgets all commands, unfinished ones too, and keeps the memory.
    package mutating func removeAll() {
        self.byteCount = 0
        self.commandCount = 0
        self.missingArgumentCount = 0
    }

    /// Begins a command; `argumentCount` arguments follow, its name not counted.
    package mutating func begin(_ name: String, argumentCount: Int) {
        precondition(self.isComplete, "\(self.missingArgumentCount) arguments are missing before \(name)")
        precondition(argumentCount >= 0, "\(name) cannot have \(argumentCount) arguments")
        self.commandCount += 1
        self.missingArgumentCount = argumentCount + 1
        self.reserve(Self.headerByteLimit)
        self.writeHeader(UInt8(ascii: "*"), argumentCount + 1)
        self.append(name)
    }

    /// Appends an argument.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        self.append(byteCount: bytes.count) { $0.copyMemory(from: bytes) }
    }

    /// Appends an argument.
    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { self.append($0) }
    }

    /// Appends an argument.
    package mutating func append(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { self.append($0) }
    }

    /// Appends an argument in UTF-8.
    package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { self.append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends a number in decimal digits.
    package mutating func append(_ number: Int) {
        let digits = DecimalDigits(number)
        self.append(byteCount: digits.count) { digits.write(to: $0) }
    }

    /// Appends an argument of `byteCount` bytes that `write` puts straight into the buffer, all of them.
    ///
    /// It serves arguments made of parts, such as a key with its prefix.
    package mutating func append(byteCount: Int, writing write: (UnsafeMutableRawBufferPointer) -> Void) {
        precondition(self.missingArgumentCount > 0, "one argument more than the command has")
        self.missingArgumentCount -= 1
        self.reserve(Self.headerByteLimit + byteCount + Self.lineEndByteCount)
        self.writeHeader(UInt8(ascii: "$"), byteCount)
        write(UnsafeMutableRawBufferPointer(rebasing: self.memory[self.byteCount..<(self.byteCount + byteCount)]))
        self.byteCount += byteCount
        self.writeLineEnd()
    }

    /// Lends the bytes for the time of the call.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(self.written)
    }

    /// Whether every command has all its arguments.
    package var isComplete: Bool { self.missingArgumentCount == 0 }

    /// What has been written; it is valid until the buffer changes.
    var written: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self.memory[..<self.byteCount])
    }

    private mutating func reserve(_ additional: Int) {
        let needed = self.byteCount + additional
        guard needed > self.memory.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(needed, self.memory.count * 2),
            alignment: 1
        )
        larger.copyMemory(from: self.written)
        self.memory.deallocate()
        self.memory = larger
    }

    private mutating func writeHeader(_ sign: UInt8, _ number: Int) {
        self.memory[self.byteCount] = sign
        let digits = DecimalDigits(number)
        let start = self.byteCount + 1
        digits.write(to: UnsafeMutableRawBufferPointer(rebasing: self.memory[start..<(start + digits.count)]))
        self.byteCount = start + digits.count
        self.writeLineEnd()
    }

    private mutating func writeLineEnd() {
        self.memory[self.byteCount] = UInt8(ascii: "\r")
        self.memory[self.byteCount + 1] = UInt8(ascii: "\n")
        self.byteCount += Self.lineEndByteCount
    }
}
