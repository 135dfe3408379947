import Front
import Glibc
import NIOSSL

extension FrontServer.Configuration {
    /// What the settings say of the front at one of their addresses.
    init(_ settings: Settings, at address: HostPort, tls: TLSConfiguration?) {
        let section = settings.front
        self.init(host: address.host, port: Int(address.port))
        self.reusesPort = section.reusePort
        self.eventLoopCount = section.eventLoops
        self.password = section.password?.value
        self.passwordTries.attempts = section.passwordAttempts
        self.tls = tls
        self.maximumConnectionCount = section.maximumConnections
        self.maximumLineByteCount = section.maximumLineBytes
        self.handshakeTimeout = section.handshakeTimeout
        self.writeTimeout = section.writeTimeout
        self.lineTimeout = section.lineTimeout
        self.bufferByteCount = section.maximumBufferBytes
        self.fetchWait = section.fetchWait
        if !section.sessionName.isEmpty {
            // Two fronts that share a port live side by side for a while, and neither may end the other's session.
            let suffix = section.reusePort ? "#\(getpid())" : ""
            self.name = "\(section.sessionName)@\(address)\(suffix)"
        }
        self.software = "millrace/\(Millrace.version)"
        self.lane.holdTimeout = section.holdTimeout
        self.lane.heldByteCount = section.maximumHeldBytes
    }
}
