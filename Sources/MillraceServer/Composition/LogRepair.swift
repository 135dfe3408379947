import JobStorageRedis

/// What is to be done about the log of a Redis that could not write it for a while, as on a full disk.
///
/// What Redis had written in part it cuts off again. But in a file that is new since the last rewrite it goes on where the
/// part had ended, so that zeros stay behind in front of what it writes from then on, and it could never read that file
/// again. A rewrite puts what Redis has in its memory in the place of the file.
///
/// A disk that was full between two questions only is noticed by what stayed behind: the log is longer than what Redis
/// remembers to have written.
struct LogRepair {
    private enum State {
        /// Nothing is known to be wrong. Can move to failing.
        case whole
        /// Redis cannot write its log, or could not and was not told to rewrite it. Can move to rewriting.
        case failing
        /// A rewrite has failed. Can move to rewriting.
        case refusing
        /// The log is written anew. Can move to whole, refusing and failing.
        case rewriting
    }

    /// What is to be done now.
    enum Step: Equatable {
        case nothing
        /// Redis cannot write any more, which somebody may want to know.
        case report
        /// Redis is to be told to rewrite its log.
        case rewrite
        /// The log can be read again, which somebody may want to know.
        case done
    }

    private var state = State.whole

    /// How long to wait before Redis is asked again.
    ///
    /// A rewrite that fails has filled the disk, perhaps, and each leaves one more file; it is not tried again at once.
    var pause: Duration {
        switch self.state {
        case .whole: .seconds(1)
        case .failing, .rewriting: .milliseconds(100)
        case .refusing: .seconds(10)
        }
    }

    /// Takes in what Redis says of itself.
    ///
    /// - Parameters:
    ///   - persistence: what `INFO persistence` answers.
    ///   - length: how long the parts of the log were before it was asked; nil when they were replaced meanwhile.
    mutating func take(_ persistence: String, length: LogManifest.Length?) -> Step {
        let lines = Set(persistence.split(whereSeparator: \.isNewline))
        guard !lines.contains("aof_last_write_status:err") else {
            guard self.state != .failing, self.state != .refusing else { return .nothing }
            self.state = self.state == .rewriting ? .refusing : .failing
            return .report
        }
        let isIdle = lines.contains("aof_rewrite_in_progress:0") && lines.contains("aof_rewrite_scheduled:0")
        switch self.state {
        case .whole:
            guard isIdle, let length, Self.hasGap(length, lines) else { return .nothing }
            self.state = .failing
            return .rewrite
        case .failing, .refusing: return isIdle ? .rewrite : .nothing
        case .rewriting:
            guard isIdle else { return .nothing }
            guard lines.contains("aof_last_bgrewrite_status:ok") else {
                self.state = .refusing
                return .nothing
            }
            self.state = .whole
            return .done
        }
    }

    /// Whether the log is longer than what Redis says that it has written.
    private static func hasGap(_ length: LogManifest.Length, _ lines: Set<Substring>) -> Bool {
        guard let written = Self.number("aof_current_size", in: lines),
            let base = Self.number("aof_base_size", in: lines)
        else { return false }
        // Redis does not count the base that a new log begins with.
        return length.increments + (base == 0 ? 0 : length.base) > written
    }

    /// How much Redis says that it has written behind the base of the log, in bytes; nil when that cannot be told.
    ///
    /// - Parameters:
    ///   - persistence: what `INFO persistence` answers.
    ///   - length: how long the parts of the log were before it was asked.
    static func incrementByteCount(of persistence: String, length: LogManifest.Length) -> Int? {
        let lines = Set(persistence.split(whereSeparator: \.isNewline))
        guard lines.contains("aof_last_write_status:ok"), lines.contains("aof_rewrite_in_progress:0"),
            lines.contains("aof_rewrite_scheduled:0"), let written = Self.number("aof_current_size", in: lines),
            let base = Self.number("aof_base_size", in: lines), lines.contains("loading:0"),
            !Self.hasGap(length, lines)
        else { return nil }
        return written - (base == 0 ? 0 : length.base)
    }

    private static func number(_ name: String, in lines: Set<Substring>) -> Int? {
        lines.first { $0.hasPrefix(name + ":") }.flatMap { Int($0.dropFirst(name.count + 1)) }
    }

    /// Notes that Redis has begun to rewrite its log.
    mutating func noteRewrite() {
        self.state = .rewriting
    }
}
