import JobCore
import Logging
import NIOCore
import WebUI

/// Runs a status server on a free port for as long as a test needs it.
func withStatusServer(
    over leader: FakeLeader,
    password: String? = nil,
    limits: WebLimits = WebLimits(),
    admits: @escaping StatusServer.Admission = { $1() },
    _ body: @escaping @Sendable (_ port: Int) async throws -> Void
) async throws {
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let inquiry = LeaderInquiry(links: [leader], session: SessionID(high: 1, low: 2), software: "test")
    let server = try StatusServer(
        configuration: StatusServer.Configuration(
            host: "127.0.0.1",
            port: 0,
            password: password,
            limits: limits,
            admits: admits
        ),
        inquiry: inquiry,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        onBind: { continuation.yield($0) }
    )
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        group.addTask {
            for await port in ports {
                try await body(port)
                return
            }
        }
        // Whichever ends first: the test, or a server that could not be started.
        try await group.next()
        group.cancelAll()
    }
}
