/// A program that a ``Supervisor`` keeps running.
package struct ChildProcess: Sendable, Equatable {
    /// What it is called in events.
    package let name: String
    /// The path of the program; a name without a slash is looked for in `PATH`.
    package let executable: String
    /// Without the program's own name.
    package let arguments: [String]
    /// All its variables.
    package let environment: [String: String]
    /// How long it may take to end after SIGTERM before it is killed.
    package let stopTimeout: Duration
    /// How often it is started before it is given up, when each ends at once with a failure.
    package let attemptBound: Int
    /// The file that it reads as its standard input.
    package let input: String
    /// The file whose lock it shares for as long as it runs, if it is started through the launcher; see ``ChildrenLock``.
    package let lock: String?

    package init(
        name: String,
        executable: String,
        arguments: [String] = [],
        environment: [String: String],
        stopTimeout: Duration = .seconds(15),
        attemptBound: Int = .max,
        input: String = "/dev/null",
        lock: String? = nil
    ) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.stopTimeout = stopTimeout
        self.attemptBound = attemptBound
        self.input = input
        self.lock = lock
    }

    /// The same child, which shares the lock of a file for as long as it runs.
    func sharing(_ lock: String) -> ChildProcess {
        ChildProcess(
            name: self.name,
            executable: self.executable,
            arguments: self.arguments,
            environment: self.environment,
            stopTimeout: self.stopTimeout,
            attemptBound: self.attemptBound,
            input: self.input,
            lock: lock
        )
    }

    /// The same child, started through another program that ends it when this process dies.
    ///
    /// `posix_spawn` cannot ask for that, so our own executable does with its hidden command, and then becomes the
    /// child. See ``SupervisedExec``.
    ///
    /// - Parameters:
    ///   - launcher: the path of our own executable.
    ///   - parent: the id of this process.
    func started(through launcher: String, parent: Int32) -> ChildProcess {
        let command = SupervisedExec(
            parent: parent,
            lock: self.lock,
            executable: self.executable,
            arguments: self.arguments
        )
        return ChildProcess(
            name: self.name,
            executable: launcher,
            arguments: command.arguments(of: SupervisedExec.name),
            environment: self.environment,
            stopTimeout: self.stopTimeout,
            attemptBound: self.attemptBound,
            input: self.input
        )
    }
}
