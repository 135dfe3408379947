import Foundation
import Synchronization
import ThreadConfinement

/// Producers and workers that go on through every fault, as clients do: they connect again, send a PUSH again whose
/// reply was lost, and an ACK or FAIL, too.
final class Load: Sendable {
    /// Taken jobs that may be open at a time, so that a run ends soon after its producers.
    static let openBound = 500
    /// One job in so many fails once.
    static let failureShare = 20
    /// How long a server may be away before a client takes it for hung.
    static let patience = Duration.seconds(120)
    /// How long a client waits before it connects again.
    private static let reconnection = Duration.milliseconds(50)

    let ledger = Observed(Ledger())
    private let port: Int
    private let mayProduce = Observed(true)
    private let mayWork = Observed(true)
    private let producers: Mutex<[DedicatedThread<Void>]> = Mutex([])
    private let workers: Mutex<[DedicatedThread<Void>]> = Mutex([])

    init(port: Int, producers: Int = 3, workers: Int = 6) {
        self.port = port
        self.producers.withLock { threads in
            threads = (0..<producers).map { number in
                DedicatedThread(name: "producer") { self.produce(number) }
            }
        }
        self.workers.withLock { threads in
            threads = (0..<workers).map { number in DedicatedThread(name: "worker") { self.work(number) } }
        }
    }

    /// Ends the producers; the workers go on.
    func stopProducing() {
        self.mayProduce.change { $0 = false }
        for thread in self.producers.withLock({ $0 }) { thread.join() }
    }

    func stop() {
        self.stopProducing()
        self.mayWork.change { $0 = false }
        for thread in self.workers.withLock({ $0 }) { thread.join() }
    }

    /// Waits until so many more jobs have been done; false when that takes too long.
    func progresses(by count: Int, within limit: Duration = .seconds(120)) -> Bool {
        let goal = self.ledger.value.doneCount + count
        return self.ledger.wait(within: limit) { $0.doneCount >= goal }
    }

    // MARK: Clients

    private func produce(_ number: Int) {
        var connection: ClientSocket?
        var count = 0
        while self.mayProduce.value {
            guard self.ledger.wait(within: Self.patience, until: { $0.openCount < Self.openBound }) else { continue }
            let jid = "load-\(number)-\(count)"
            count += 1
            let job = #"{"jid":"\#(jid)","jobtype":"Load","args":[\#(count)],"queue":"load-\#(count % 3)"}"#
            self.settle("PUSH \(job)", on: &connection) { self.ledger.change { $0.resent(jid) } }
            self.ledger.change { $0.acknowledged(jid) }
        }
    }

    private func work(_ number: Int) {
        var connection: ClientSocket?
        var count = 0
        let worker = "load-worker-\(number)"
        while self.mayWork.value {
            guard let client = self.connected(&connection, as: worker) else { continue }
            do {
                let sent = ContinuousClock.now
                guard let jid = try client.fetch("load-0 load-1 load-2")?.jid else { continue }
                self.ledger.change { $0.executed(jid, fetchSentAt: sent) }
                count += 1
                if count % Self.failureShare == 0 {
                    self.settle(#"FAIL {"jid":"\#(jid)","errtype":"Load"}"#, on: &connection, as: worker)
                    self.ledger.change { $0.failed(jid) }
                } else {
                    self.settle(#"ACK {"jid":"\#(jid)"}"#, on: &connection, as: worker)
                    self.ledger.change { $0.done(jid) }
                }
            } catch {
                if case .late? = error as? ClientSocket.Failure {
                    self.ledger.change { $0.violated("a FETCH was never answered") }
                }
                connection = nil
            }
        }
    }

    /// Sends a command as often as it takes to be answered.
    private func settle(
        _ line: String,
        on connection: inout ClientSocket?,
        as worker: String? = nil,
        whenSentAgain: () -> Void = {}
    ) {
        let deadline = ContinuousClock.now + Self.patience
        var isAgain = false
        while ContinuousClock.now < deadline {
            guard let client = self.connected(&connection, as: worker) else { continue }
            do {
                if isAgain { whenSentAgain() }
                isAgain = true
                let reply = try client.ask(line)
                // A FAIL whose first answer was lost finds nothing any more.
                let isKnown = reply == "+OK\r\n" || reply.hasPrefix("-ERR Job not found")
                if !isKnown { self.ledger.change { $0.violated("\(line) was answered \(reply)") } }
                return
            } catch {
                connection = nil
            }
        }
        self.ledger.change { $0.violated("\(line) was never answered") }
    }

    private func connected(_ connection: inout ClientSocket?, as worker: String?) -> ClientSocket? {
        if let connection { return connection }
        do {
            let client = try ClientSocket(port: self.port)
            try client.greet(worker.map { #"{"v":2,"wid":"\#($0)"}"# } ?? #"{"v":2}"#)
            // Only of a worker that has been beating is it known that it is gone.
            if let worker { _ = try client.ask(#"BEAT {"wid":"\#(worker)"}"#) }
            connection = client
            return client
        } catch {
            // Nobody listens: the end of the run is what may happen meanwhile.
            _ = self.mayWork.wait(within: Self.reconnection) { !$0 }
            return nil
        }
    }
}
