import Glibc

/// Lets the owner's thread rest, which may block.
enum BlockingPause {
    static func between(tries pause: Duration) {
        let (seconds, attoseconds) = pause.components
        var rest = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        // Woken early by a signal, it is the next try that comes early.
        nanosleep(&rest, nil)
    }
}
