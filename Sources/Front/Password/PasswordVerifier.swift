import Glibc
import JobCore
package import Logging
package import NIOCore
import NIOPosix
import Synchronization

/// Looks at the passwords of clients and of browsers, on threads of its own and by the rule of ``PasswordTries``.
///
/// One serves all ports of a process, so that no port can be used for guessing what another one slows.
package final class PasswordVerifier: Sendable {
    /// What became of a password.
    package enum Verdict: Equatable, Sendable {
        case right
        /// To be answered after so long.
        case wrong(delay: Duration)
        /// Nobody can look at it any more: the process ends.
        case unknown
    }

    private struct Try: Sendable {
        let address: String
        let isRight: @Sendable () -> Bool
        let answer: @Sendable (Verdict) -> Void
    }

    private struct State {
        var tries: PasswordTries
        var pending: [UInt64: (address: String, task: Try?)] = [:]
        var lastNumber: UInt64 = 0
        var wakesAt: Uptime?
    }

    private let state: Mutex<State>
    private let pool = NIOThreadPool.singleton
    private let timer = MultiThreadedEventLoopGroup.singleton.any()
    private let logger: Logger

    package init(limits: PasswordTries.Limits = PasswordTries.Limits(), logger: Logger) {
        self.state = Mutex(State(tries: PasswordTries(limits: limits)))
        self.logger = logger
    }

    /// Has a password looked at when its turn has come.
    ///
    /// - Parameters:
    ///   - address: who sent it, as ``group(of:)`` has it.
    ///   - isRight: compares, on another thread; in constant time.
    ///   - answer: called once, on any thread, unless the try is given up before.
    /// - Returns: a number for ``giveUp(_:)``.
    @discardableResult
    package func verify(
        from address: String,
        isRight: @escaping @Sendable () -> Bool,
        answer: @escaping @Sendable (Verdict) -> Void
    ) -> UInt64 {
        let number = self.state.withLock { state in
            state.lastNumber += 1
            state.pending[state.lastNumber] = (address, Try(address: address, isRight: isRight, answer: answer))
            state.tries.begin(state.lastNumber, from: address)
            return state.lastNumber
        }
        self.goOn()
        return number
    }

    /// Nobody waits any more for the answer to a try.
    package func giveUp(_ number: UInt64) {
        self.state.withLock { state in
            guard state.pending[number] != nil else { return }
            state.pending[number]?.task = nil
        }
    }

    /// Whether a password is right; returns when the answer may be given.
    package func admits(from address: String, isRight: @escaping @Sendable () -> Bool) async -> Bool {
        let verdict = await withCheckedContinuation { continuation in
            self.verify(from: address, isRight: isRight) { continuation.resume(returning: $0) }
        }
        guard case .wrong(let delay) = verdict else { return verdict == .right }
        try? await Task.sleep(for: delay)
        return false
    }

    private static var now: Uptime { Uptime(nanoseconds: Int64(clamping: NIODeadline.now().uptimeNanoseconds)) }

    /// Begins with everything whose turn it is.
    private func goOn() {
        let (tries, wake) = self.state.withLock { state -> ([Try], Uptime?) in
            var tries: [Try] = []
            while true {
                switch state.tries.next(at: Self.now) {
                case .look(let number):
                    guard let (address, task) = state.pending.removeValue(forKey: number) else { continue }
                    if let task { tries.append(task) } else { state.tries.drop(from: address) }
                case .rest:
                    return (tries, nil)
                case .wait(let until):
                    guard until < state.wakesAt ?? Uptime(nanoseconds: .max) else { return (tries, nil) }
                    state.wakesAt = until
                    return (tries, until)
                }
            }
        }
        for task in tries { self.look(at: task) }
        if let wake {
            self.timer.scheduleTask(deadline: .uptimeNanoseconds(UInt64(clamping: wake.nanoseconds))) {
                self.state.withLock { $0.wakesAt = nil }
                self.goOn()
            }
        }
    }

    private func look(at task: Try) {
        self.pool.submit { state in
            guard case .active = state else { return task.answer(.unknown) }
            let isRight = task.isRight()
            let outcome = self.state.withLock { state in
                state.tries.finish(from: task.address, isRight: isRight, at: Self.now)
            }
            switch outcome {
            case .right:
                task.answer(.right)
            case .wrong(let delay, let told):
                if let told { self.log(told, from: task.address) }
                task.answer(.wrong(delay: delay))
            }
            self.goOn()
        }
    }

    private func log(_ count: Int, from address: String) {
        self.logger.warning(
            "a wrong password",
            metadata: ["address": "\(address)", "count": "\(count)"]
        )
    }
}

extension PasswordVerifier {
    /// What a peer's address is counted by: an IPv4 address, or the network of an IPv6 address, of which one host has as
    /// many as it likes.
    package static func group(of address: SocketAddress?) -> String {
        guard let text = address?.ipAddress else { return "" }
        var bytes = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, text, &bytes) == 1 else { return text }
        let mapped = Array(repeating: UInt8(0), count: 10) + [0xFF, 0xFF]
        if bytes.starts(with: mapped) { return bytes.dropFirst(12).map(String.init).joined(separator: ".") }
        let groups = stride(from: 0, to: 8, by: 2).map { index in
            String(UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]), radix: 16)
        }
        return groups.joined(separator: ":") + "::/64"
    }
}
