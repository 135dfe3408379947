import Foundation

/// A client's connection, byte by byte: what other clients' libraries do with theirs can be repeated on it exactly.
///
/// Calls block, but never longer than `patience`.
final class ClientSocket: Sendable {
    enum Failure: Error, Equatable {
        case system(call: String, code: Int32)
        /// The server has closed the connection.
        case closed
        /// Nothing came, or nothing could be sent, for so long.
        case late
        /// These bytes are no reply.
        case malformed(String)
        /// A reply that the test did not allow for.
        case unexpected(String)
    }

    /// How long one read or write may take.
    static let patience = Duration.seconds(120)

    private let descriptor: Int32

    /// - Parameter host: the last number of the loopback address: 127.0.0.1, 127.0.0.2 and so on.
    convenience init(port: Int, host: UInt32 = 1, patience: Duration = ClientSocket.patience) throws(Failure) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = (UInt32(INADDR_LOOPBACK) - 1 + host).bigEndian
        try self.init(family: AF_INET, to: address, patience: patience)
    }

    /// A connection to the loopback address of IPv6.
    convenience init(version6Port port: Int) throws(Failure) {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = UInt16(port).bigEndian
        address.sin6_addr = in6addr_loopback
        try self.init(family: AF_INET6, to: address, patience: Self.patience)
    }

    private init<Address>(family: Int32, to address: Address, patience: Duration) throws(Failure) {
        self.descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard self.descriptor >= 0 else { throw .system(call: "socket", code: errno) }
        let code = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(self.descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        guard code == 0 else { throw .system(call: "connect", code: errno) }
        var limit = timeval(
            tv_sec: Int(patience.components.seconds),
            tv_usec: Int(patience.components.attoseconds / 1_000_000_000_000)
        )
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(self.descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        var yes: Int32 = 1
        setsockopt(self.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit {
        close(self.descriptor)
    }

    // MARK: Bytes

    /// Sends exactly these bytes.
    func send(_ bytes: [UInt8]) throws(Failure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Self.failure(of: "send") }
            sent += count
        }
    }

    func send(_ text: String) throws(Failure) {
        try self.send(Array(text.utf8))
    }

    /// One single read of at most so many bytes, as some clients take a reply; empty when the server has closed.
    func readOnce(_ limit: Int = 4_096) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = recv(self.descriptor, &bytes, limit, 0)
        guard count >= 0 else { throw Self.failure(of: "recv") }
        return Array(bytes[..<count])
    }

    /// One line with its end.
    func readLine() throws(Failure) -> String {
        var line: [UInt8] = []
        // What lies behind the line has to stay unread, so that it is looked at before it is taken.
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(self.descriptor, &chunk, chunk.count, Int32(MSG_PEEK))
            guard count >= 0 else { throw Self.failure(of: "recv") }
            guard count > 0 else { throw .closed }
            let end = chunk[..<count].firstIndex(of: UInt8(ascii: "\n"))
            line += try self.read(exactly: end.map { $0 + 1 } ?? count)
            if end != nil { return String(decoding: line, as: UTF8.self) }
        }
    }

    func read(exactly count: Int) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try self.readOnce(count - bytes.count)
            guard !more.isEmpty else { throw .closed }
            bytes += more
        }
        return bytes
    }

    /// Whether the server closes the connection without another word.
    func isClosedSilently() throws(Failure) -> Bool {
        do {
            return try self.readOnce().isEmpty
        } catch .closed {
            return true
        }
    }

    /// Waits, without reading anything, until the server has closed the connection; false when it does not in time.
    func waitForReset(within limit: Duration) -> Bool {
        var polled = pollfd(fd: self.descriptor, events: Int16(POLLRDHUP_NUMBER), revents: 0)
        return poll(&polled, 1, Int32(limit / .milliseconds(1))) == 1
    }

    /// Tells the server that nothing more comes; what it says can still be read.
    func endSending() {
        shutdown(self.descriptor, Int32(SHUT_WR))
    }

    /// Closes the connection as the kernel does it for a process that was killed with bytes unread.
    func vanish() {
        shutdown(self.descriptor, Int32(SHUT_RDWR))
    }

    // MARK: Replies

    /// Takes the greeting, says HELLO and takes the answer to it.
    func greet(_ hello: String = #"{"v":2}"#) throws(Failure) {
        let greeting = try self.readLine()
        guard greeting.hasPrefix("+HI ") else { throw .unexpected(greeting) }
        let answer = try self.ask("HELLO \(hello)")
        guard answer == "+OK\r\n" else { throw .unexpected(answer) }
    }

    /// One whole reply as it came, whatever its kind.
    func readReply() throws(Failure) -> String {
        let line = try self.readLine()
        guard line.hasPrefix("$"), line != "$-1\r\n" else { return line }
        guard let count = Int(line.dropFirst().dropLast()) else { throw .malformed(line) }
        return line + String(decoding: try self.read(exactly: count + 2), as: UTF8.self)
    }

    /// What a bulk reply holds; nil for the null one.
    func readBulk() throws(Failure) -> [UInt8]? {
        let line = try self.readLine()
        if line == "$-1\r\n" { return nil }
        guard line.hasPrefix("$"), let count = Int(line.dropFirst().dropLast()) else { throw .unexpected(line) }
        return try self.read(exactly: count + 2).dropLast(2)
    }

    /// Sends a line and takes the whole reply to it.
    func ask(_ line: String, end: String = "\r\n") throws(Failure) -> String {
        try self.send(line + end)
        return try self.readReply()
    }

    /// The job that a FETCH from these queues is given; nil when there is none.
    func fetch(_ queues: String) throws(Failure) -> FetchedPayload? {
        try self.send("FETCH \(queues)\r\n")
        return try self.readBulk().map(FetchedPayload.init)
    }

    /// What INFO tells.
    func info() throws -> ServerFigures {
        try self.send("INFO\r\n")
        guard let bytes = try self.readBulk() else { throw Failure.unexpected("null") }
        return try JSONDecoder().decode(ServerFigures.self, from: Data(bytes))
    }

    private static func failure(of call: String) -> Failure {
        switch errno {
        case EAGAIN, EINPROGRESS: .late
        case ECONNRESET, EPIPE: .closed
        default: .system(call: call, code: errno)
        }
    }
}

/// `POLLRDHUP`, which Glibc's module does not show.
private let POLLRDHUP_NUMBER: Int32 = 0x2000
