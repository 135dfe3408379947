/// What the command line asks for.
package struct Invocation: Sendable, Equatable {
    /// A role to run, or something to print.
    package enum Command: Sendable, Equatable {
        /// All roles and a Redis in one terminal.
        case dev
        /// All roles and the Redis of one member of a cluster.
        case host
        case front
        case manager
        case scheduler
        /// The banner.
        case version
        /// The text, which is ready to be printed.
        case help(String)
        /// A page that is made from the settings' definitions, ready to be printed.
        case text(String)
        /// Read the settings, print them and say whether they can be used.
        case configCheck
        /// Hidden: become another program that ends when its parent does.
        case supervisedExec(SupervisedExec)
        /// A command that was registered by whoever called the parser, with its own arguments, unread.
        case extra(name: String, arguments: [String])
    }

    package let command: Command
    package let options: CommandLineOptions

    package init(command: Command, options: CommandLineOptions = CommandLineOptions()) {
        self.command = command
        self.options = options
    }
}
