import TestSupport

/// One more front over the manager of a running server.
struct OtherFront {
    let port: Int
    private let program: SpawnedProgram

    /// - Parameter endpoint: where it looks for the manager, if not where the manager is.
    init(of server: MillraceProcesses, endpoint: String? = nil) throws {
        let port = try freePort()
        let arguments = [
            "front", "-d", server.directory.file("other"), "-c", server.directory.file("config"),
            "-b", "127.0.0.1:\(port)", "-w", ":0",
            "--set", "manager.endpoint=\(endpoint ?? server.managerEndpoint)",
        ]
        self.port = port
        self.program = try Millrace.start(arguments)
        try self.program.wait(forLineWith: "Attached to a leader")
        try self.program.wait(forLineWith: "The front listens")
    }
}
