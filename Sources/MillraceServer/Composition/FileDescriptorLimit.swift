import Glibc
import Logging

/// How many files and sockets this process may have open.
enum FileDescriptorLimit {
    /// What a process needs beside its clients' sockets.
    private static let reserve = 512

    /// Asks for room for so many sockets, as far as the system lets this user have it, and warns when that is not enough.
    ///
    /// Shells give their programs 1,024 and let them ask for more; without that, clients beyond them would wait in the
    /// kernel and never be greeted, nor told that there are too many.
    static func makeRoom(forSockets count: Int, logger: Logger) {
        let wanted = rlim_t(count + Self.reserve)
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < wanted else {
            return
        }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        let isRaised = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        guard !isRaised || limit.rlim_cur < wanted else { return }
        logger.warning(
            "fewer files may be open than the settings ask for; raise the limit (ulimit -n, LimitNOFILE)",
            metadata: ["limit": "\(limit.rlim_cur)", "wanted": "\(wanted)"]
        )
    }
}
