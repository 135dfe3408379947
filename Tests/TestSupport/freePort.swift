import Glibc
import Synchronization

/// The ports that are tried, which are below those that Linux gives to outgoing connections: one of these may be taken
/// before the server that it is meant for has started.
private let candidates = 12_000..<32_000
/// How many candidates this process has tried.
private let triedCount = Atomic(0)

/// A TCP port of the loopback address that nobody listens on at the moment, and that was not handed out before.
package func freePort() throws -> Int {
    var code = EADDRINUSE
    for _ in candidates {
        let number = triedCount.add(1, ordering: .relaxed).newValue
        // Test processes that run at the same time begin at different places.
        let port = candidates.lowerBound + (Int(getpid()) * 127 + number) % candidates.count
        code = try bindingError(port: port)
        if code == 0 { return port }
    }
    throw TestSupportError.system(call: "bind", code: code)
}

/// Why a port cannot be listened on; 0 if it can.
private func bindingError(port: Int) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw TestSupportError.system(call: "socket", code: errno) }
    defer { close(descriptor) }

    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 ? 0 : errno
        }
    }
}
