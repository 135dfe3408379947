import Foundation
import Glibc
import ThreadConfinement

/// What a server answered to a GET.
struct HTTPReply: Sendable {
    let status: Int
    /// By their names in small letters.
    let headers: [String: String]
    let body: String

    /// Asks a server on this machine, over a connection that ends with the answer.
    static func get(_ path: String, port: Int, authorization: String? = nil) async throws -> HTTPReply {
        try await Self.ask("GET", path, port: port, fields: authorization.map { ["Authorization: \($0)"] } ?? [])
    }

    /// Sends a request of any method, with these fields in its head.
    static func ask(_ method: String, _ path: String, port: Int, fields: [String] = []) async throws -> HTTPReply {
        let header = fields.map { "\($0)\r\n" }.joined()
        let request = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\(header)\r\n"
        let thread = DedicatedThread(name: "http") { Result { try Self.exchange(Array(request.utf8), port: port) } }
        return try HTTPReply(parsing: try await thread.value().get())
    }

    private static func exchange(_ request: [UInt8], port: Int) throws -> [UInt8] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(what: "socket: \(errno)") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0, write(descriptor, request, request.count) == request.count else {
            throw Failure(what: "connect or write: \(errno)")
        }
        var reply: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw Failure(what: "read: \(errno)") }
            guard count > 0 else { return reply }
            reply += chunk[..<count]
        }
    }

    private init(parsing bytes: [UInt8]) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { throw Failure(what: "no header: \(text)") }
        var lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        let words = lines.removeFirst().split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { throw Failure(what: "no status: \(text)") }
        self.status = status
        var headers: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces
            )
        }
        self.headers = headers
        self.body = String(text[end.upperBound...])
    }

    /// Why there is no reply.
    struct Failure: Error {
        let what: String
    }
}
