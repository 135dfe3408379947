import Glibc

/// Tells whether children of an earlier run still work on a storage directory.
///
/// A supervisor that was killed leaves its children behind for a moment: each hears of it by a signal, but a Redis may take
/// seconds to end, and removes its socket as it does, and a manager its own. A new Redis must not begin meanwhile: its socket
/// would be gone, and two of them would write one log. So those children share a lock for as long as they run, and a new
/// supervisor waits until it could have the lock alone. ``StorageLock`` says that there is no other supervisor.
struct ChildrenLock {
    /// Children of an earlier run are still there.
    struct Failure: Error, Equatable, CustomStringConvertible {
        let directory: String
        /// The processes, as far as they can be named.
        let processIDs: [Int32]

        var description: String {
            let names = self.processIDs.map { "\($0)" }.joined(separator: ", ")
            return "processes of an earlier run still work on \(self.directory)"
                + (names.isEmpty ? "" : " (\(names))") + ": end them, then start again"
        }
    }

    /// How long a start waits for them at the most.
    static let patience = Duration.seconds(12)
    /// How long they are waited for before anything is said of it.
    static let silence = Duration.milliseconds(500)
    private static let probe: useconds_t = 10_000

    /// The file, in the storage directory.
    let path: String
    private let directory: String

    init(directory: String) {
        self.directory = directory
        self.path = directory + "/millrace-children.lock"
    }

    /// Shares the lock of a file until this process, and whatever it becomes, has ended; false when it cannot be had.
    static func share(_ path: String) -> Bool {
        // Not closed on exec, which is the whole point.
        let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
        return descriptor >= 0 && flock(descriptor, LOCK_SH | LOCK_NB) == 0
    }

    /// Blocks until nobody shares it, and no longer than the time that is given.
    ///
    /// - Parameter note: called once if that takes a while.
    func waitUntilFree(upTo patience: Duration = Self.patience, note: () -> Void) throws {
        let descriptor = open(self.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StorageLock.Failure(description: "\(self.path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        let start = ContinuousClock.now
        var isNoted = false
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let elapsed = start.duration(to: .now)
            guard elapsed < patience else {
                throw Failure(directory: self.directory, processIDs: Self.holders(of: descriptor))
            }
            if !isNoted, elapsed >= Self.silence {
                isNoted = true
                note()
            }
            usleep(Self.probe)
        }
    }

    /// The processes that took the lock of this file, as the kernel lists them.
    private static func holders(of descriptor: Int32) -> [Int32] {
        var status = stat()
        guard fstat(descriptor, &status) == 0, let file = fopen("/proc/locks", "r") else { return [] }
        defer { fclose(file) }
        var found: [Int32] = []
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = text.split(separator: " ")
            guard words.count >= 6, words[1] == "FLOCK", words[5].hasSuffix(":\(status.st_ino)"),
                let processID = Int32(words[4])
            else { continue }
            found.append(processID)
        }
        return found
    }
}
