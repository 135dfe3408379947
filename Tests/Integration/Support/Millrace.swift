import Foundation

/// The program under test.
enum Millrace {
    /// Where it was built: beside the tests, or what `MILLRACE_EXECUTABLE` names.
    static var path: String {
        get throws {
            if let path = ProcessInfo.processInfo.environment["MILLRACE_EXECUTABLE"] { return path }
            let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("millrace").path
        }
    }

    /// Starts a role that does not outlive the thread that starts it.
    static func start(_ arguments: [String], variables: [String: String] = [:]) throws -> SpawnedProgram {
        let path = try self.path
        return try SpawnedProgram(path, ["supervised-exec", "\(getpid())", path] + arguments, variables: variables)
    }
}

/// One of the processes that `millrace dev` starts.
enum Role: String, CaseIterable, Sendable {
    case redis, manager, scheduler, front
}
