/// What is to be done about the log of a Redis that could not write it for a while, as on a full disk.
///
/// What Redis had written in part it cuts off again. But in a file that is new since the last rewrite it goes on where the
/// part had ended, so that zeros stay behind in front of what it writes from then on, and it could never read that file
/// again. A rewrite puts what Redis has in its memory in the place of the file.
///
/// A disk that was full for less time than goes by between two questions is not noticed.
struct LogRepair {
    private enum State {
        /// Nothing is known to be wrong. Can move to failing.
        case whole
        /// Redis cannot write its log, or could not and was not told to rewrite it. Can move to rewriting.
        case failing
        /// The log is written anew. Can move to whole, and back to failing.
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

    /// Whether it should be asked again soon.
    var isUnderWay: Bool { self.state != .whole }

    /// Takes in what Redis says of itself.
    ///
    /// - Parameter persistence: what `INFO persistence` answers.
    mutating func take(_ persistence: String) -> Step {
        let lines = Set(persistence.split(whereSeparator: \.isNewline))
        guard !lines.contains("aof_last_write_status:err") else {
            defer { self.state = .failing }
            return self.state == .failing ? .nothing : .report
        }
        let isIdle = lines.contains("aof_rewrite_in_progress:0") && lines.contains("aof_rewrite_scheduled:0")
        switch self.state {
        case .whole: return .nothing
        case .failing: return isIdle ? .rewrite : .nothing
        case .rewriting:
            guard isIdle else { return .nothing }
            guard lines.contains("aof_last_bgrewrite_status:ok") else {
                self.state = .failing
                return .nothing
            }
            self.state = .whole
            return .done
        }
    }

    /// Notes that Redis has begun to rewrite its log.
    mutating func noteRewrite() {
        self.state = .rewriting
    }
}
