import Foundation
import Glibc
import TestSupport
import Testing

/// What a stranger can do to a front through its web port.
struct WebPortTests {
    @Test("1,100 silent connections to the web port of a front with 1,024 descriptors take nothing from its clients")
    func silentConnections() async throws {
        let wrapper = try WrappedExecutable(commands: "ulimit -n 1024")
        let port = try freePort()
        let settings = ["web.bind": "127.0.0.1:\(port)", "front.max_connections": "100"]
        try await withMillrace(settings: settings, executable: wrapper.path) { server in
            let front = try server.processID(of: .front)
            var silent: [Int32] = []
            defer { for descriptor in silent { close(descriptor) } }
            for _ in 0..<1_100 { silent.append(try Self.connect(to: port)) }
            for number in 0..<100 {
                let client = try server.connect()
                #expect(try client.ask(#"PUSH {"jid":"web-port-\#(number)","jobtype":"A","args":[]}"#) == "+OK\r\n")
            }
            #expect(try Self.status(of: "/health", at: port) == 200)
            #expect(try server.processID(of: .front) == front)
        }
    }

    @Test("a wrong password at /stats is answered late, one at a time, and the right one at once by all of an address")
    func guesses() async throws {
        let port = try freePort()
        let settings = ["web.bind": "127.0.0.1:\(port)", "front.password": "open-sesame"]
        try await withMillrace(settings: settings) { server in
            let wrong = Data("a:wrong".utf8).base64EncodedString()
            let right = Data("a:open-sesame".utf8).base64EncodedString()
            let guess = try Self.connect(to: port)
            defer { close(guess) }
            let request = Array("GET /stats HTTP/1.1\r\nHost: x\r\nAuthorization: Basic \(wrong)\r\n\r\n".utf8)
            for _ in 0..<100 { #expect(write(guess, request, request.count) == request.count) }
            for _ in 0..<10 {
                #expect(try Self.status(of: "/stats", at: port, authorization: right) == 200)
            }
            // However many guesses were sent at once, their line in the log is one.
            let lines = server.program.text.split(separator: "\n").filter { $0.contains("a wrong password") }
            #expect(lines.count <= 1)
        }
    }

    private static func connect(to port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard descriptor >= 0, result == 0 else { throw TestSupportError.system(call: "connect", code: errno) }
        return descriptor
    }

    /// The status of the answer to a GET, over a connection of its own.
    private static func status(of path: String, at port: Int, authorization: String? = nil) throws -> Int {
        let descriptor = try Self.connect(to: port)
        defer { close(descriptor) }
        let field = authorization.map { "Authorization: Basic \($0)\r\n" } ?? ""
        let request = Array("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(field)\r\n".utf8)
        guard write(descriptor, request, request.count) == request.count else { return -1 }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(descriptor, &bytes, bytes.count)
        let words = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
        return words.count > 1 ? Int(words[1]) ?? -1 : -1
    }
}
