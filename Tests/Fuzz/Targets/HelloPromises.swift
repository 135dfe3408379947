import FaktoryWire
import JobCore
import NIOCore

/// What a client said of itself is within the bounds, and is read again from the line that says it.
enum HelloPromises {
    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        guard let hello = Hello(parsing: input) else { return }
        try BrokenPromise.unless(input.count <= Hello.maximumByteCount, "a line of \(input.count) bytes is not read")
        try BrokenPromise.unless(hello.labels.count <= Hello.maximumLabelCount, "too many labels are not read")
        let texts = [hello.passwordHash, hello.workerID, hello.hostname, hello.username].compactMap { $0 }
        for text in texts + hello.labels {
            try BrokenPromise.unless(text.utf8.count <= Hello.maximumTextByteCount, "a long text is not read")
        }
        try BrokenPromise.unless(hello.workerID != "", "the name of a worker is never empty")

        var buffer = ByteBuffer()
        hello.write(to: &buffer)
        let line = [UInt8](buffer.readableBytesView).dropLast(2)
        // Escapes can make a line longer than it may be.
        guard line.count <= Hello.maximumByteCount else { return }
        try BrokenPromise.unless(Hello(parsing: line) == hello, "\(hello) is read again")
    }
}
