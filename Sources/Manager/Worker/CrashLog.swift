import JobCore

/// With which jobs workers have vanished lately, and when.
///
/// A job that takes its worker's process with it would go from worker to worker without end, since it uses up no try.
struct CrashLog {
    /// So many crashes within ``memory`` bury a job.
    static let limit = 3
    /// For how long a crash counts.
    static let memory = Duration.seconds(72 * 3_600)
    /// Of how many jobs crashes are known; those of others are not counted.
    static let bound = 50_000

    private(set) var times: [JobID: [WallTime]]

    var isEmpty: Bool { self.times.isEmpty }

    init(_ times: [JobID: [WallTime]]) {
        self.times = times
    }

    /// A worker vanished with this job.
    ///
    /// - Returns: when that has happened, as far as it counts; nil when no more jobs can be remembered.
    mutating func note(_ jobID: JobID, at now: WallTime) -> [WallTime]? {
        guard self.times[jobID] != nil || self.times.count < Self.bound else { return nil }
        // A time that lies ahead was read from another clock, and counts.
        let recent = (self.times[jobID] ?? []).filter { $0.duration(to: now) < Self.memory }
        let times = Array(recent.suffix(Self.limit - 1)) + [now]
        self.times[jobID] = times
        return times
    }

    /// The job has ended; whether anything was known of it.
    mutating func forget(_ jobID: JobID) -> Bool {
        self.times.removeValue(forKey: jobID) != nil
    }

    mutating func removeAll() {
        self.times.removeAll()
    }
}
