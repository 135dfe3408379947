import Foundation
import Synchronization
import ThreadConfinement

/// A producer at each member's front, which goes on through every fault and keeps what was acknowledged.
final class ClusterLoad: Sendable {
    struct Outcome: Sendable {
        var acknowledged: [String] = []
        /// Replies that are neither an acknowledgement nor a lost connection.
        var errors: [String] = []
        var lastAt = ContinuousClock.now
        /// The longest time in which nothing was acknowledged.
        var longestPause = Duration.zero
    }

    static let queue = "cluster"
    /// How long a producer waits before it connects again.
    private static let reconnection: useconds_t = 20_000

    private let outcome = Observed(Outcome())
    private let mayProduce = Observed(true)
    private let threads: Mutex<[DedicatedThread<Void>]> = Mutex([])

    init(_ cluster: ClusterProcesses) {
        self.threads.withLock { threads in
            threads = cluster.members.map { member in
                DedicatedThread(name: "producer") { self.produce(at: member, of: cluster) }
            }
        }
    }

    /// Waits until so many more jobs are acknowledged; false when that takes too long.
    func progresses(by count: Int) -> Bool {
        let goal = self.outcome.value.acknowledged.count + count
        return self.outcome.wait(within: ClusterProcesses.patience) { $0.acknowledged.count >= goal }
    }

    /// The longest pause so far; the next one is measured anew.
    func takeLongestPause() -> Duration {
        let pause = self.outcome.value.longestPause
        self.outcome.change { $0.longestPause = .zero }
        return pause
    }

    /// Ends the producers.
    func stop() -> Outcome {
        self.mayProduce.change { $0 = false }
        for thread in self.threads.withLock({ $0 }) { thread.join() }
        return self.outcome.value
    }

    private func produce(at member: UInt32, of cluster: ClusterProcesses) {
        var number = 0
        while self.mayProduce.value {
            do {
                let client = try cluster.connect(to: member)
                while self.mayProduce.value {
                    let jid = "member-\(member)-job-\(number)"
                    // A job whose reply was lost is pushed again: an answer to it counts, whichever it is.
                    let reply = try client.ask(
                        #"PUSH {"jid":"\#(jid)","jobtype":"A","args":[],"queue":"\#(Self.queue)"}"#
                    )
                    self.note(reply, to: jid)
                    number += 1
                }
            } catch {
                usleep(Self.reconnection)
            }
        }
    }

    private func note(_ reply: String, to jid: String) {
        self.outcome.change { outcome in
            guard reply == "+OK\r\n" else { return outcome.errors.append(reply) }
            outcome.acknowledged.append(jid)
            outcome.longestPause = max(outcome.longestPause, ContinuousClock.now - outcome.lastAt)
            outcome.lastAt = .now
        }
    }
}
