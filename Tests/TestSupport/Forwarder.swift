import Foundation
import Synchronization

/// A TCP port that passes on what comes to another one, and can keep it back for a while, like a slow network.
///
/// What is kept back arrives when it is let go, even if its sender has stopped by then. Threads end with their connections.
package final class Forwarder: Sendable {
    private struct State {
        var isHolding = false
        /// Whether what comes back is lost.
        var isLosing = false
        /// What is kept back.
        var held: [UInt8] = []
        /// What has come back since something was let go; nil before.
        var returned: [UInt8]?
        var sockets: [Int32] = []
    }

    /// Where it listens on the loopback address.
    package let port: Int
    private let goal: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let condition = NSCondition()

    /// - Parameter goal: the port of the loopback address to which everything goes.
    package init(to goal: Int) throws {
        self.port = try freePort()
        self.goal = goal
        self.listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(self.listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let code = Self.withAddress(of: self.port) { Glibc.bind(self.listener, $0, $1) }
        guard code == 0, listen(self.listener, 64) == 0 else {
            close(self.listener)
            throw TestSupportError.system(call: "listen", code: errno)
        }
        let descriptor = self.listener
        Thread.detachNewThread { [weak self] in
            while true {
                let socket = Glibc.accept(descriptor, nil, nil)
                guard socket >= 0 else { break }
                guard let self else {
                    close(socket)
                    break
                }
                self.connect(socket)
            }
            close(descriptor)
        }
    }

    deinit {
        for socket in self.state.withLock({ $0.sockets }) { shutdown(socket, Int32(SHUT_RDWR)) }
        // Ends the thread that accepts.
        shutdown(self.listener, Int32(SHUT_RDWR))
    }

    /// Keeps back, from now on, what is sent to the goal.
    package func hold() {
        self.state.withLock { $0.isHolding = true }
    }

    /// Loses, from now on, what comes back from the goal; its connections stay open until it closes them.
    package func lose(_ isLosing: Bool) {
        self.state.withLock { $0.isLosing = isLosing }
    }

    /// Lets go of everything that was kept back.
    package func release() {
        self.condition.lock()
        self.state.withLock { state in
            state.isHolding = false
            state.held = []
            state.returned = []
        }
        self.condition.broadcast()
        self.condition.unlock()
    }

    /// Waits until this text is among what is kept back; false when it is not in time.
    package func waitForHeld(_ text: String, within seconds: Double = 60) -> Bool {
        self.wait(within: seconds) { String(decoding: $0.held, as: UTF8.self).contains(text) }
    }

    /// Waits until this text has come back since something was let go; false when it is not in time.
    package func waitForReturned(_ text: String, within seconds: Double = 60) -> Bool {
        self.wait(within: seconds) { String(decoding: $0.returned ?? [], as: UTF8.self).contains(text) }
    }

    private func wait(within seconds: Double, until isSo: (borrowing State) -> Bool) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        self.condition.lock()
        defer { self.condition.unlock() }
        while !self.state.withLock({ isSo($0) }) {
            guard self.condition.wait(until: deadline) else { return false }
        }
        return true
    }

    private func connect(_ near: Int32) {
        let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard Self.withAddress(of: self.goal, { Glibc.connect(far, $0, $1) }) == 0 else {
            close(near)
            close(far)
            return
        }
        self.state.withLock { $0.sockets += [near, far] }
        Thread.detachNewThread { [weak self] in
            Self.pass(from: near, to: far) { bytes in
                self?.admit(bytes)
                return true
            }
        }
        Thread.detachNewThread { [weak self] in
            Self.pass(from: far, to: near) { self?.note($0) ?? true }
        }
    }

    /// Returns once these bytes may go on.
    private func admit(_ bytes: ArraySlice<UInt8>) {
        self.condition.lock()
        defer { self.condition.unlock() }
        guard self.state.withLock({ $0.isHolding }) else { return }
        self.state.withLock { $0.held += bytes }
        self.condition.broadcast()
        while self.state.withLock({ $0.isHolding }) { self.condition.wait() }
    }

    /// Whether these bytes go back.
    private func note(_ bytes: ArraySlice<UInt8>) -> Bool {
        self.condition.lock()
        defer { self.condition.unlock() }
        let isLost = self.state.withLock { state in
            if !state.isLosing { state.returned?.append(contentsOf: bytes) }
            return state.isLosing
        }
        self.condition.broadcast()
        return !isLost
    }

    private static func pass(from source: Int32, to goal: Int32, _ admit: (ArraySlice<UInt8>) -> Bool) {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(source, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            guard admit(chunk[..<count]) else { continue }
            guard Self.send(chunk[..<count], to: goal) else { break }
        }
        // The sockets are closed with the process: their numbers must not be given out again while another thread has them.
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(goal, Int32(SHUT_RDWR))
    }

    private static func send(_ bytes: ArraySlice<UInt8>, to goal: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(goal, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func withAddress(
        of port: Int,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
