import Foundation

/// The program under test.
enum Millrace {
    /// Where it was built: beside the tests, or what `MILLRACE_EXECUTABLE` names.
    static var path: String {
        get throws {
            try ProcessInfo.processInfo.environment["MILLRACE_EXECUTABLE"] ?? self.path(of: "millrace")
        }
    }

    /// Where an executable of this package was built: beside the tests.
    static func path(of name: String) throws -> String {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// Starts a role that does not outlive the thread that starts it.
    ///
    /// - Parameter executable: the path of another executable than `millrace` itself.
    static func start(
        _ arguments: [String],
        variables: [String: String] = [:],
        executable: String? = nil
    ) throws -> SpawnedProgram {
        let path = try executable ?? self.path
        return try SpawnedProgram(path, ["supervised-exec", "\(getpid())", path] + arguments, variables: variables)
    }
}

/// One of the processes that `millrace dev` starts.
enum Role: String, CaseIterable, Sendable {
    case redis, manager, scheduler, front
}
