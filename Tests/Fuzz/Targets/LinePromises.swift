import FaktoryWire
import NIOCore

/// Lines come out the same however the stream was cut into pieces, and each of them is a command or an error.
enum LinePromises {
    /// What a splitter made of a stream.
    private struct Outcome: Equatable {
        var lines: [[UInt8]] = []
        /// Whether a line was too long.
        var hasFailed = false
    }

    /// The first byte chooses the longest line and the size of the pieces, the rest is the stream.
    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        guard let choice = input.first else { return }
        let maximumByteCount = 16 << Int(choice >> 4)
        let stream = input.dropFirst()
        let expected = self.reference(stream, maximumByteCount: maximumByteCount)
        for pieceByteCount in [1 + Int(choice & 15), max(stream.count, 1)] {
            let outcome = try self.split(stream, into: pieceByteCount, maximumByteCount: maximumByteCount)
            try BrokenPromise.unless(
                outcome == expected,
                "pieces of \(pieceByteCount) bytes are the same lines: \(outcome), not \(expected)"
            )
        }
        for line in expected.lines {
            guard case .rejected(let message) = Command.parse(line: line[...]) else { continue }
            try BrokenPromise.unlessOneLine(message)
        }
    }

    private static func split(
        _ stream: ArraySlice<UInt8>,
        into pieceByteCount: Int,
        maximumByteCount: Int
    ) throws(BrokenPromise) -> Outcome {
        var splitter = LineSplitter(maximumByteCount: maximumByteCount)
        var outcome = Outcome()
        var rest = stream
        while !rest.isEmpty {
            splitter.append(ByteBuffer(bytes: rest.prefix(pieceByteCount)))
            rest = rest.dropFirst(pieceByteCount)
            do throws(LineSplitter.LineTooLong) {
                while let line = try splitter.next() { outcome.lines.append([UInt8](line.readableBytesView)) }
            } catch {
                outcome.hasFailed = true
            }
            // What is kept may end with a CR that is not known to belong to the line's end.
            try BrokenPromise.unless(
                splitter.pendingByteCount <= maximumByteCount + 1,
                "\(splitter.pendingByteCount) bytes are kept of a line of at most \(maximumByteCount)"
            )
        }
        return outcome
    }

    /// The same, said in the simplest way.
    private static func reference(_ stream: ArraySlice<UInt8>, maximumByteCount: Int) -> Outcome {
        var outcome = Outcome()
        var parts = stream.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
        while let part = parts.popFirst() {
            let line = part.last == UInt8(ascii: "\r") ? part.dropLast() : part
            if line.count > maximumByteCount {
                outcome.hasFailed = true
                return outcome
            }
            if !parts.isEmpty { outcome.lines.append([UInt8](line)) }
        }
        return outcome
    }
}
