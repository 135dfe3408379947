import Foundation
import TestSupport

/// The program under test behind commands of a shell, which change the surroundings that it starts in.
final class WrappedExecutable: Sendable {
    private let directory: TemporaryDirectory
    let path: String

    /// - Parameter commands: what the shell does before it becomes the program.
    init(commands: String) throws {
        self.directory = try TemporaryDirectory()
        self.path = self.directory.file("millrace")
        let text = "#!/bin/sh\n\(commands)\nexec \(try Millrace.path) \"$@\"\n"
        // Written by another process: a program that this one starts meanwhile would have the file open, and nothing that is
        // open for writing can be run.
        let writing = #"printf '%s' "$1" > "$2" && chmod 700 "$2""#
        let program = try SpawnedProgram("/bin/sh", ["-c", writing, "sh", text, self.path])
        _ = try program.waitForEnd()
    }
}
