import FaktoryClient
import Foundation
import NIOCore
import NIOPosix

/// `millrace bench`: measures a running server.
struct BenchCommand {
    /// - Returns: the exit code: 1 when a job was lost or fetched twice or the run broke off, 2 for wrong arguments.
    func run(_ arguments: [String]) async -> Int32 {
        if arguments.contains(where: { ["-h", "--help"].contains($0) }) {
            print(BenchOptions.help, terminator: "")
            return 0
        }
        let options: BenchOptions
        let server: ClientConfiguration
        do {
            options = try BenchOptions(parsing: arguments)
            server = try Self.server(options)
        } catch {
            MillraceCommand.complain("millrace bench: \(error)\nTry: millrace bench --help")
            return 2
        }
        do {
            let report = try await self.measure(options, server)
            print(options.printsJSON ? report.json + "\n" : report.text, terminator: "")
            return report.ledger.isSound ? 0 : 1
        } catch {
            MillraceCommand.complain("millrace bench: \(error)")
            return 1
        }
    }

    /// - Throws: `FaktoryError` when the URL is none, or ``UsageError`` when there is nothing to trust for.
    private static func server(_ options: BenchOptions) throws -> ClientConfiguration {
        var server = try options.url.map { try ClientConfiguration(url: $0) } ?? ClientConfiguration.fromEnvironment()
        guard let path = options.authoritiesPath else { return server }
        guard server.tls != nil else { throw UsageError("--ca is for a URL that begins with tcp+tls:") }
        server.tls = TLSOptions(trustRoots: .file(path))
        return server
    }

    /// The server's processes, if it runs on this machine and they can be seen.
    private static func localProcesses(of server: ClientConfiguration) -> [BenchOptions.WatchedProcess] {
        guard ["localhost", "127.0.0.1", "::1"].contains(server.host) else { return [] }
        return ServerProcessFinder().processes(listeningOn: server.port)
    }

    private func measure(_ options: BenchOptions, _ server: ClientConfiguration) async throws -> BenchReport {
        let processID = ProcessInfo.processInfo.processIdentifier
        let others = options.processes.isEmpty ? Self.localProcesses(of: server) : options.processes
        let processes = [.init(name: "bench", processID: processID)] + others
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let eventLoop = group.next()
        var server = server
        server.eventLoopGroup = group
        let report: BenchReport
        do {
            report = try await eventLoop.flatSubmit { [server] in
                BenchRun(
                    options,
                    server: server,
                    watch: BenchWatch(processes),
                    names: BenchJobNames(seed: .random(in: .min ... .max)),
                    on: eventLoop,
                    progress: { MillraceCommand.complain($0) }
                ).start()
            }.get()
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
        return report
    }
}
