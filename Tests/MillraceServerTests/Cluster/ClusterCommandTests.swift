import Testing

@testable import MillraceServer

@Suite("The command line of millrace cluster")
struct ClusterCommandTests {
    private typealias Request = ClusterCommand.Request

    @Test("each command takes what belongs to it and leaves the flags for the settings")
    func commands() throws {
        let flags = ["-c", "/c"]
        let status = try Request(name: "status", ["--json"] + flags)
        #expect(status.action == .status(asJSON: true))
        #expect(status.flags == flags)
        #expect(try Request(name: "status", []).action == .status(asJSON: false))
        #expect(try Request(name: "transfer", flags).action == .transfer(to: nil))
        #expect(try Request(name: "transfer", ["3"] + flags).action == .transfer(to: 3))
        #expect(try Request(name: "drain", ["63"]).action == .drain(63))
        #expect(try Request(name: "recover", []).action == .recover(acceptLoss: false))
        #expect(try Request(name: "members", flags).action == .members(isChanging: false))
        let members = try Request(name: "members", ["change"] + flags)
        #expect(members.action == .members(isChanging: true))
        #expect(members.flags == flags)
        let recover = try Request(name: "recover", flags + ["--accept-loss"])
        #expect(recover.action == .recover(acceptLoss: true))
        #expect(recover.flags == flags)
    }

    @Test(
        "what makes no sense is an error of usage",
        arguments: [
            ("drain", []), ("drain", ["-c", "/c"]), ("transfer", ["0"]), ("transfer", ["64"]), ("transfer", ["x"]),
            ("stats", [String]()),
        ]
    )
    func mistakes(name: String, arguments: [String]) {
        #expect(throws: UsageError.self) { _ = try Request(name: name, arguments) }
    }
}
