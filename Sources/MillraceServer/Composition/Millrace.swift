import FaktoryClient
import Foundation
public import Manager

/// The program `millrace`: every role, and whatever a user adds to the manager.
public enum Millrace {
    /// The program's version.
    public static let version = "0.1.0"

    /// Reads the process's arguments, runs what they ask for, and ends the process.
    ///
    /// An executable of one's own calls this with its middleware, and is then everything that `millrace` is:
    ///
    /// ```swift
    /// await Millrace.main { manager in
    ///     manager.addMiddleware(.push) { context, next in … }
    /// }
    /// ```
    ///
    /// - Parameter extend: called with each manager that begins to lead, on the leader's thread and before anything is
    ///   served, to add middleware and a fetcher. The process of another role never calls it.
    public static func main(extending extend: @escaping @Sendable (JobManager) -> Void = { _ in }) async -> Never {
        StandardDescriptors.ensure()
        // A peer that closes its socket is an error of that write, and no reason to end the process.
        signal(SIGPIPE, SIG_IGN)
        // A reload that is asked for before the settings were read needs nothing; it must not end the process.
        signal(SIGHUP, SIG_IGN)
        exit(await MillraceCommand(extend: extend).run(KernelArguments.list))
    }
}
