import Foundation
import Testing

/// Runs a script beside these tests with the interpreter that has the clients of PyPI.
enum PythonClient {
    /// How long one scenario may take.
    private static let limit = Duration.seconds(60)

    /// The root of the repository, in which `scripts/test` makes the virtual environment.
    private static var root: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
    }

    static func run(_ script: String, _ scenario: String, url: String) throws {
        let python = self.root.appendingPathComponent(".venv/bin/python").path
        try #require(
            FileManager.default.isExecutableFile(atPath: python),
            "scripts/test makes .venv from Tests/Integration/python/requirements.txt"
        )
        let program = try SpawnedProgram(
            python,
            ["-u", self.root.appendingPathComponent("Tests/Integration/python/\(script)").path, scenario],
            variables: ["FAKTORY_URL": url]
        )
        let end = try program.waitForEnd(within: self.limit)
        #expect(end == .code(0), "\(program.text)")
        #expect(program.text.hasSuffix("passed"))
    }
}
