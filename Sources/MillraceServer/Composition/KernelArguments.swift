import ProcessFigures

/// The arguments of this process, as the kernel has them.
///
/// Swift looks for them beside the environment, and finds none when a library that is loaded before us has changed a
/// variable: every command would then be the default one, with the default settings.
enum KernelArguments {
    /// Without the program's name.
    static var list: [String] {
        guard let data = KernelFile.bytes(of: "/proc/self/cmdline"), !data.isEmpty else {
            return Array(CommandLine.arguments.dropFirst())
        }
        return Array(Self.parse(data).dropFirst())
    }

    /// Splits what `/proc/self/cmdline` has: each argument with a zero byte behind it.
    static func parse(_ data: some Sequence<UInt8>) -> [String] {
        var words = Array(data).split(separator: 0, omittingEmptySubsequences: false)
        if words.last?.isEmpty ?? false { words.removeLast() }
        return words.map { String(decoding: $0, as: UTF8.self) }
    }
}
