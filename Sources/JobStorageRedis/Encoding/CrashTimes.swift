import JobCore
import JobStorage

/// The times at which workers vanished with a job, as Redis keeps them: microseconds with a blank between them.
enum CrashTimes {
    static func text(of times: [WallTime]) -> String {
        times.map { String(SetScore($0).microseconds) }.joined(separator: " ")
    }

    /// What can be read of a text; a count that is damaged is no reason not to serve a job.
    static func times(in text: [UInt8]) -> [WallTime] {
        String(decoding: text, as: UTF8.self).split(separator: " ").compactMap { word in
            Int64(word).flatMap { SetScore(microseconds: $0) }?.time
        }
    }
}
