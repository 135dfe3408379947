import Glibc
import Logging

/// Waits for a port that another process is about to let go of.
///
/// For those that listen without NIO: ZeroMQ and Redis would fail, or begin and never come up.
struct PortWait {
    /// How long in all.
    static let patience = Duration.seconds(10)
    private static let interval = Duration.milliseconds(100)

    let setting: String
    let logger: Logger

    /// Returns when the address can be listened on, or when something else than another process keeps it from that; throws
    /// `PortTaken` when it is not free in time.
    func untilFree(_ address: HostPort, patience: Duration = Self.patience) async throws {
        let deadline = ContinuousClock.now + patience
        var isFirst = true
        while Self.isTaken(address) {
            guard ContinuousClock.now < deadline else {
                throw PortTaken(setting: self.setting, address: "\(address)", port: Int(address.port))
            }
            if isFirst {
                self.logger.warning("the port is taken, and is waited for", metadata: ["address": "\(address)"])
            }
            isFirst = false
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Whether somebody listens there.
    static func isTaken(_ address: HostPort) -> Bool {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        let host = address.host.isEmpty ? nil : address.host
        guard getaddrinfo(host, "\(address.port)", &hints, &list) == 0, let first = list else { return false }
        defer { freeaddrinfo(list) }
        let information = first.pointee
        let kind = information.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(information.ai_family, kind, information.ai_protocol)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var isOn: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<Int32>.size))
        return bind(descriptor, information.ai_addr, information.ai_addrlen) != 0 && errno == EADDRINUSE
    }
}
