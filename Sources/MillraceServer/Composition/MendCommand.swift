import Logging

/// `millrace mend`: what `millrace dev` and `millrace host` do before they start a Redis, for one that is a service.
struct MendCommand {
    static let help = """
        millrace mend DIRECTORY

        Cuts off the end of Redis's log in DIRECTORY what was never acknowledged: a transaction that was not finished
        when Redis or the machine was killed, and the zeros that a power cut leaves. It is kept beside the log. Whatever
        else is wrong with the log stays as it is. Redis must not run.

        """

    /// - Returns: the exit code: 1 when the log cannot be read or cut, 2 for wrong arguments.
    func run(_ arguments: [String]) -> Int32 {
        if arguments.contains(where: { ["-h", "--help"].contains($0) }) {
            print(Self.help, terminator: "")
            return 0
        }
        guard arguments.count == 1, let directory = arguments.first, !directory.isEmpty, !directory.hasPrefix("-")
        else {
            MillraceCommand.complain("millrace mend: one directory is needed\nTry: millrace mend --help")
            return 2
        }
        do {
            try RoleProcesses.cutLog(in: directory, Logger(label: "mend"))
            return 0
        } catch {
            MillraceCommand.complain("millrace mend: \(error)")
            return 1
        }
    }
}
