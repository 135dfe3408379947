import ClusterLink
import Front
import Glibc

/// A port that a role cannot do without, and that somebody else has; in words that say what to do.
struct PortTaken: Error, Equatable, CustomStringConvertible {
    /// What needs it, for example `front.bind`.
    let setting: String
    /// The address, for example `127.0.0.1:7419`.
    let address: String
    let port: Int
    let holder: PortHolder?

    init(setting: String, address: String, port: Int, holder: PortHolder? = nil) {
        self.setting = setting
        self.address = address
        self.port = port
        self.holder = holder ?? PortHolder.find(port: port)
    }

    var description: String {
        let holder = self.holder.map { " by \($0)" } ?? ""
        return "the port \(self.port) is taken\(holder): end that, or set \(self.setting) to something else than "
            + "\(self.address)"
    }

    /// What an error of a front says, if it is of this kind.
    init?(_ error: any Error) {
        guard case .bind(let host, let port, EADDRINUSE, _)? = error as? FrontError else { return nil }
        self.init(setting: "front.bind", address: "\(HostPort(host: host, port: UInt16(clamping: port)))", port: port)
    }
}
