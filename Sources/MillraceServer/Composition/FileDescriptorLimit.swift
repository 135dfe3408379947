import Front
import Glibc
import Logging

/// How many files and sockets this process may have open.
enum FileDescriptorLimit {
    /// Why a process cannot serve; in words.
    struct TooLow: Error, Equatable, CustomStringConvertible {
        let limit: Int
        let least: Int

        var description: String {
            "only \(self.limit) files may be open, and \(self.least) are needed; raise the limit (ulimit -n, LimitNOFILE)"
        }
    }

    /// What a front needs beside its clients' sockets: files, links, the event loops.
    static let reserve = 256
    /// What each listening address needs for connections that have not said HELLO.
    static let margin = FrontServer.Configuration().unidentifiedMargin
    /// With fewer clients there is no use in serving.
    static let leastClientCount = 16

    /// Asks for room for the clients of each address, as far as the system lets this user have it.
    ///
    /// Shells give their programs 1,024 and let them ask for more. Where the system does not allow as many as the settings,
    /// fewer are served, so that one too many is told so and never finds no descriptor left.
    ///
    /// - Parameter webCount: how many connections the web server may have beside them.
    /// - Returns: how many clients each address may serve.
    static func clients(
        ofEach addressCount: Int,
        wanted: Int,
        beside webCount: Int,
        logger: Logger
    ) throws(TooLow) -> Int {
        let room = Self.raise(to: addressCount * (wanted + Self.margin) + Self.reserve + webCount)
        let count = try Self.clients(ofEach: addressCount, wanted: wanted, beside: webCount, within: room)
        if count < wanted {
            logger.warning(
                "fewer clients are served than front.max_connections; raise the limit of open files (ulimit -n, LimitNOFILE)",
                metadata: ["clients": "\(count)", "wanted": "\(wanted)", "limit": "\(room)"]
            )
        }
        return count
    }

    /// How many clients each of the addresses may serve when so many files may be open.
    static func clients(
        ofEach addressCount: Int,
        wanted: Int,
        beside webCount: Int = 0,
        within limit: Int
    ) throws(TooLow) -> Int {
        let reserve = Self.reserve + webCount
        let count = min(wanted, (limit - reserve) / addressCount - Self.margin)
        guard count >= min(wanted, Self.leastClientCount) else {
            let least = addressCount * (min(wanted, Self.leastClientCount) + Self.margin) + reserve
            throw TooLow(limit: limit, least: least)
        }
        return count
    }

    /// Raises the limit as far as it may be; what it is then.
    private static func raise(to wanted: Int) -> Int {
        var limit = rlimit()
        let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(kind, &limit) == 0 else { return wanted }
        guard limit.rlim_cur < rlim_t(wanted) else { return Int(clamping: limit.rlim_cur) }
        let before = limit.rlim_cur
        limit.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
        return Int(clamping: setrlimit(kind, &limit) == 0 ? limit.rlim_cur : before)
    }
}
