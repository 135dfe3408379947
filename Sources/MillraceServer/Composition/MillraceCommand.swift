import Foundation
import Logging
import Manager

/// Runs what the command line asks for.
struct MillraceCommand {
    let extend: @Sendable (JobManager) -> Void

    static let extraCommands = [
        CommandLine.ExtraCommand(
            name: "cluster",
            summary: "Look at the members of a cluster, and let another one lead"
        ),
        CommandLine.ExtraCommand(name: "demo", summary: "Work a few hundred jobs through a running server"),
        CommandLine.ExtraCommand(name: "bench", summary: "Measure a running server, and check that it loses no job"),
        CommandLine.ExtraCommand(name: "keys", summary: "Make a pair of keys for the links between hosts"),
        CommandLine.ExtraCommand(name: "mend", summary: "Cut off Redis's log what was never acknowledged"),
    ]

    /// - Returns: the exit code: 0 when all is well, 1 for a failure, 2 for a command line that makes no sense.
    func run(_ arguments: [String]) async -> Int32 {
        let invocation: Invocation
        do throws(UsageError) {
            invocation = try CommandLine.parse(arguments, extra: Self.extraCommands)
        } catch {
            Self.complain("millrace: \(error.message)\nTry: millrace help")
            return error.exitCode
        }
        switch invocation.command {
        case .supervisedExec(let command):
            command.run()
        case .version:
            print(Self.banner, terminator: "")
            return 0
        case .help(let text):
            print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
            return 0
        case .text(let text):
            print(text, terminator: "")
            return 0
        case .configCheck:
            return await self.withSettings(of: invocation) { loaded, _ in
                print(loaded.report, terminator: "")
                for warning in loaded.warnings { Self.complain("millrace: \(warning)") }
                return 0
            }
        case .extra("cluster", let arguments):
            return await ClusterCommand().run(arguments)
        case .extra("bench", let arguments):
            return await BenchCommand().run(arguments)
        case .extra("keys", let arguments):
            return KeysCommand().run(arguments)
        case .extra("mend", let arguments):
            return MendCommand().run(arguments)
        case .extra(_, let arguments):
            return await DemoCommand().run(arguments)
        case .dev, .host, .front, .manager, .scheduler:
            return await self.withSettings(of: invocation) { loaded, loader in
                await self.runRole(invocation, loaded, loader)
            }
        }
    }

    private func runRole(_ invocation: Invocation, _ loaded: LoadedSettings, _ loader: SettingsLoader) async -> Int32 {
        // What this process makes is for its own user: files, directories, and the sockets of its links.
        umask(0o077)
        let destination = LogDestination(loaded.settings.log)
        LoggingSystem.bootstrap { _ in LineLogHandler(destination: destination) }
        let logger = Logger(label: "millrace")
        for warning in loaded.warnings { logger.warning("\(warning)") }
        let roles = Roles(loaded: loaded, loader: loader, destination: destination, extend: self.extend)
        do {
            if invocation.command != .front, invocation.command != .scheduler {
                try PrivateDirectory.narrow(loaded.settings.storageDirectory, logger: logger)
            }
            switch invocation.command {
            case .front: try await roles.runFront()
            case .manager: try await roles.runManager()
            case .scheduler: try await roles.runScheduler()
            case .host: try await HostCommand(loaded: loaded, options: invocation.options).run()
            default: try await DevCommand(loaded: loaded, loader: loader, options: invocation.options).run()
            }
            return 0
        } catch {
            let taken = (error as? PortTaken) ?? PortTaken(error)
            logger.error("this process cannot go on", metadata: ["reason": "\(taken?.description ?? "\(error)")"])
            return taken == nil ? 1 : ExitCode.hopeless
        }
    }

    private func withSettings(
        of invocation: Invocation,
        _ body: (LoadedSettings, SettingsLoader) async -> Int32
    ) async -> Int32 {
        let speaksToClients = invocation.command != .manager && invocation.command != .scheduler
        let isMember = invocation.command == .manager || invocation.command == .host
        let loader = SettingsLoader(
            options: invocation.options,
            variables: ProcessInfo.processInfo.environment,
            needsPassword: speaksToClients,
            isMember: isMember
        )
        let loaded: LoadedSettings
        do throws(SettingsError) {
            loaded = try loader.load()
        } catch {
            for message in error.messages { Self.complain("millrace: \(message)") }
            return 1
        }
        return await body(loaded, loader)
    }

    /// The three lines that Faktory begins with.
    static var banner: String {
        """
        Millrace \(Millrace.version)
        Copyright © \(Calendar(identifier: .gregorian).component(.year, from: Date())) The Millrace authors
        Licensed under the MIT License

        """
    }

    /// One line for people, on standard error.
    static func complain(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
