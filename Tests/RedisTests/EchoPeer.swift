import Glibc
import TestSupport
import ThreadConfinement

/// A peer that sends back whatever it receives, and reads nothing while what it sends is not taken.
///
/// A command is a valid reply as well, an array of its arguments, so this is a Redis of a kind: the one whose
/// buffers never grow.
final class EchoPeer: Sendable {
    let path: String
    private let directory: TemporaryDirectory
    private let thread: DedicatedThread<Void>

    /// Begins to listen for one client, who is sent the greeting first.
    init(greeting: String = "") throws {
        self.directory = try TemporaryDirectory()
        let path = self.directory.file("echo.sock")
        self.path = path
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listener, generic, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0, listen(listener, 1) == 0 else {
            throw TestSupportError.system(call: "bind", code: errno)
        }
        self.thread = DedicatedThread(name: "echo") { Self.serve(listener, greeting: greeting) }
    }

    /// Waits until the client has hung up.
    func join() {
        self.thread.join()
    }

    private static func serve(_ listener: Int32, greeting: String) {
        let client = accept(listener, nil, nil)
        close(listener)
        defer { close(client) }
        _ = send(client, greeting, greeting.utf8.count, Int32(MSG_NOSIGNAL))
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(client, &chunk, chunk.count, 0)
            guard count > 0 else { return }
            var sent = 0
            while sent < count {
                let sentNow = chunk.withUnsafeBytes {
                    send(client, $0.baseAddress?.advanced(by: sent), count - sent, Int32(MSG_NOSIGNAL))
                }
                guard sentNow > 0 else { return }
                sent += sentNow
            }
        }
    }
}
