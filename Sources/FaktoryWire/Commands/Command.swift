package import JobCore

/// One line of a client, understood as far as a front can without asking anybody.
package enum Command: Equatable, Sendable {
    /// How many queues one FETCH or QUEUE may name.
    package static let maximumQueueCount = 1_000

    /// Takes one job; its payload has not been looked at.
    case push(ArraySlice<UInt8>)
    /// Takes an array of jobs; it has not been looked at.
    case pushBulk(ArraySlice<UInt8>)
    /// Hands out a job of the first of these queues that has one; there is at least one name.
    case fetch([String])
    case acknowledge(JobID)
    case fail(FailPayload)
    case beat(WorkerBeat)
    case info
    case flush
    case end
    case queue(QueueCommand)
    case mutate(Mutation)
    /// The argument of TRACK.
    case track(ArraySlice<UInt8>)
    /// The argument of BATCH.
    case batch(ArraySlice<UInt8>)
    /// To be answered at once with `-ERR ` and this text, which is one line of bounded length.
    case rejected(String)
}

extension Command {
    /// Understands a line, which comes without its end.
    package static func parse(line: ArraySlice<UInt8>) -> Command {
        line.withUnsafeBufferPointer { Self.parse(line: $0) }
    }

    /// Understands a line, which comes without its end; what the command keeps of it is copied.
    package static func parse(line: UnsafeBufferPointer<UInt8>) -> Command {
        let verbEnd = line.firstIndex(of: UInt8(ascii: " ")) ?? line.count
        let verb = UnsafeBufferPointer(rebasing: line[..<verbEnd])
        let argument = verbEnd < line.count ? UnsafeBufferPointer(rebasing: line[(verbEnd + 1)...]) : nil
        return self.command(verb, argument) ?? .rejected("unknown command \(EchoedText(verb))")
    }

    /// Nil when the verb is unknown.
    private static func command(
        _ verb: UnsafeBufferPointer<UInt8>,
        _ argument: UnsafeBufferPointer<UInt8>?
    ) -> Command? {
        switch verb.count {
        case 3:
            if verb == "ACK" { return self.needing(argument, "ACK") { self.acknowledge($0) } }
            if verb == "END" { return .end }
        case 4:
            if verb == "PUSH" { return self.needing(argument, "PUSH") { .push(ArraySlice($0)) } }
            if verb == "FAIL" { return self.needing(argument, "FAIL") { self.fail($0) } }
            if verb == "BEAT" { return self.needing(argument, "BEAT") { self.beat($0) } }
            if verb == "INFO" { return .info }
        case 5:
            if verb == "FETCH" { return self.fetch(argument) }
            if verb == "PUSHB" { return self.needing(argument, "PUSHB") { .pushBulk(ArraySlice($0)) } }
            if verb == "QUEUE" { return self.needing(argument, "QUEUE") { self.queue($0) } }
            if verb == "FLUSH" { return .flush }
            if verb == "TRACK" {
                return .rejected("tracking subsystem is only available in Faktory Enterprise")
            }
            if verb == "BATCH" {
                return .rejected("batch subsystem is only available in Faktory Enterprise")
            }
        case 6:
            if verb == "MUTATE" { return self.mutate(argument) }
        default:
            break
        }
        return nil
    }

    @inline(__always)
    private static func needing(
        _ argument: UnsafeBufferPointer<UInt8>?,
        _ verb: StaticString,
        _ body: (UnsafeBufferPointer<UInt8>) -> Command
    ) -> Command {
        guard let argument else { return .rejected("missing argument for \(verb)") }
        return body(argument)
    }

    private static func fetch(_ argument: UnsafeBufferPointer<UInt8>?) -> Command {
        guard let argument, let words = Words(argument, maximumCount: self.maximumQueueCount) else {
            return argument == nil
                ? .rejected("must call fetch with at least one queue")
                : .rejected("cannot fetch from more than \(self.maximumQueueCount) queues")
        }
        return words.texts.isEmpty ? .rejected("must call fetch with at least one queue") : .fetch(words.texts)
    }

    private static func fail(_ argument: UnsafeBufferPointer<UInt8>) -> Command {
        do throws(JobRejection) {
            return .fail(try FailPayload(parsing: ArraySlice(argument)))
        } catch {
            return .rejected(error.message)
        }
    }

    private static func beat(_ argument: UnsafeBufferPointer<UInt8>) -> Command {
        guard let beat = WorkerBeat(parsing: argument) else { return .rejected("invalid BEAT \(EchoedText(argument))") }
        return .beat(beat)
    }
}

/// Whether the bytes are those of the text.
private func == (bytes: UnsafeBufferPointer<UInt8>, text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    for index in 0..<bytes.count where bytes[index] != text.utf8Start[index] { return false }
    return true
}
