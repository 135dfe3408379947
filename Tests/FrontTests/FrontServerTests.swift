import ClusterLink
import Foundation
import Front
import JobCore
import Logging
import NIOCore
import NIOSSL
import ProcessFigures
import Testing

@Suite("A front as a whole")
struct FrontServerTests {
    @Test(
        "on shutdown it closes idle clients, gives up waiting FETCHes, answers what is held, and detaches",
        arguments: [(false, "-ERR shutdown in progress\r\n"), (true, "")]
    )
    func drain(sharesPort: Bool, farewell: String) async throws {
        let leader = FakeLeader { command in command.isInfo ? .deferred : FakeLeader.standard(command) }
        try await FrontFixture.run(leader: leader) {
            $0.reusesPort = sharesPort
        } _: { front in
            try await front.connect { idle in
                #expect(await idle.hello())
                try await front.connect { waiting in
                    #expect(await waiting.hello())
                    try await waiting.send("FETCH q\r\n")
                    let fetch = await leader.request(where: \.isFetch)
                    try await front.connect { busy in
                        #expect(await busy.hello())
                        try await busy.send("INFO\r\nPUSH {}\r\n")
                        let info = await leader.request(where: \.isInfo)
                        await front.shutDown()
                        #expect(await idle.readToEnd() == "")
                        #expect(await waiting.readToEnd() == "$-1\r\n")
                        #expect(await leader.request(where: \.isWithdrawal) == fetch)
                        leader.tellLate(info, .ok)
                        #expect(await busy.readToEnd() == "+OK\r\n" + farewell)
                    }
                }
            }
        }
        guard case .detach = leader.messages.last else {
            Issue.record("the last message is \(String(describing: leader.messages.last))")
            return
        }
        #expect(leader.isClosed)
        #expect(!leader.commands.contains { $0.isPush })
    }

    @Test("a connection to a host that is gone ends after a minute")
    func deadPeers() async throws {
        try await FrontFixture.run { front in
            let port = try #require(front.address.port)
            try await front.connect { client in
                #expect(await client.hello())
                // Until the client's host has confirmed the answer to HELLO, that is what the kernel waits for.
                var wait: Int?
                for _ in 0..<500 where wait == nil {
                    wait = try Self.keepAlive(atPort: port)
                    if wait == nil { try await Task.sleep(for: .milliseconds(10)) }
                }
                #expect(try #require(wait) <= 30_00)
            }
        }
    }

    /// In how many hundredths of a second the kernel asks the other end of an established connection whether it is there.
    private static func keepAlive(atPort port: Int) throws -> Int? {
        let table = try #require(KernelFile.text(of: "/proc/self/net/tcp"))
        for line in table.split(separator: "\n").dropFirst() {
            let words = line.split(separator: " ")
            guard words.count > 5, words[3] == "01",
                words[1].split(separator: ":").last.flatMap({ Int($0, radix: 16) }) == port
            else { continue }
            let timer = words[5].split(separator: ":")
            guard timer.first == "02" else { return nil }
            return timer.last.flatMap { Int($0, radix: 16) }
        }
        return nil
    }

    @Test("clients that come to no end are closed when the time is over, and the leader is not told that all is well")
    func drainTimeout() async throws {
        let leader = FakeLeader { command in command.isPush ? .deferred : .nothing }
        try await FrontFixture.run(leader: leader) {
            $0.drainTimeout = .milliseconds(50)
        } _: { front in
            try await front.connect { busy in
                #expect(await busy.hello())
                try await busy.send("PUSH {}\r\n")
                _ = await leader.request(where: \.isPush)
                await front.shutDown()
                #expect(await busy.readToEnd() == "")
            }
        }
        #expect(!leader.messages.contains { if case .detach = $0 { true } else { false } })
        #expect(leader.isClosed)
    }

    @Test("with a certificate clients speak TLS, and those that do not get nothing")
    func tls() async throws {
        let certificate = try TestCertificate.serverConfiguration()
        var trust = TLSConfiguration.makeClientConfiguration()
        trust.certificateVerification = .none
        let context = try NIOSSLContext(configuration: trust)
        try await FrontFixture.run {
            $0.tls = certificate
        } _: { front in
            try await TestClient.connect(to: front.address, tls: context) { client in
                #expect(await client.hello())
                try await client.send("PUSH {}\nnope\nEND\n")
                #expect(await client.readToEnd() == "+OK\r\n-ERR unknown command nope\r\n")
            }
            try await front.connect { client in
                try await client.send("HELLO {}\r\n")
                #expect(!(await client.readToEnd()).contains("HI"))
            }
        }
    }

    @Test("TLS cannot be switched off by a reload")
    func reloadWithoutTLS() throws {
        var configuration = FrontServer.Configuration()
        configuration.tls = try TestCertificate.serverConfiguration()
        let server = try FrontServer(
            configuration: configuration,
            links: [FakeLeader()],
            logger: Logger(label: "front") { _ in SwiftLogNoOpLogHandler() }
        )
        try server.reload(configuration)
        configuration.tls = nil
        #expect(
            throws: FrontError.configuration(field: "tls", reason: "cannot be switched on or off without a restart")
        ) {
            try server.reload(configuration)
        }
    }

    @Test("clients of several event loops are served, each loop in a lane of its own")
    func eventLoops() async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) {
            $0.eventLoopCount = 2
        } _: { front in
            try await front.connect { first in
                #expect(await first.hello())
                try await front.connect { second in
                    #expect(await second.hello())
                    #expect(await first.exchange("PUSH {}\n", for: "+OK\r\n"))
                    #expect(await second.exchange("PUSH {}\n", for: "+OK\r\n"))
                }
            }
        }
        let lanes = leader.messages.compactMap { if case .batch(let batch) = $0 { batch.lane.lane } else { nil } }
        #expect(Set(lanes) == [0, 1])
    }

    @Test("it says which bound a configuration breaks")
    func configuration() {
        func field(_ change: (inout FrontServer.Configuration) -> Void) -> String? {
            var configuration = FrontServer.Configuration()
            change(&configuration)
            do throws(FrontError) {
                try configuration.check()
                return nil
            } catch {
                guard case .configuration(let field, _) = error else { return "\(error)" }
                return field
            }
        }
        #expect(field { _ in } == nil)
        #expect(field { $0.port = 65_536 } == "port")
        #expect(field { $0.eventLoopCount = 0 } == "eventLoopCount")
        #expect(field { $0.pipelineDepth = 0 } == "pipelineDepth")
        #expect(field { $0.maximumLineByteCount = 1_023 } == "maximumLineByteCount")
        #expect(field { $0.maximumLineByteCount = (64 << 20) + 1 } == "maximumLineByteCount")
        #expect(field { $0.drainTimeout = .zero } == "drainTimeout")
        #expect(field { $0.password = "" } == "password")
    }

    @Test("an address that cannot be listened on is an error with its reason")
    func bind() async throws {
        let leader = FakeLeader()
        let server = try FrontServer(
            configuration: FrontServer.Configuration(host: "192.0.2.1", port: 7_419),
            links: [leader],
            logger: Logger(label: "front") { _ in SwiftLogNoOpLogHandler() }
        )
        var reason: FrontError?
        do {
            try await server.run()
        } catch {
            reason = error as? FrontError
        }
        guard case .bind("192.0.2.1", 7_419, _, _)? = reason else {
            Issue.record("it ended with \(String(describing: reason))")
            return
        }
        #expect(leader.isClosed)
    }
}
