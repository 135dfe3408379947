import MillraceServer

/// A configuration file gives settings, or an error that says on which line each mistake is.
enum SettingsPromises {
    private static let path = "/etc/faktory/millrace.toml"

    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        let first = self.load(input)
        let isSame = first.map(\.report) == self.load(input).map(\.report)
        try BrokenPromise.unless(isSame, "the same file is read in the same way")
        let lineCount = input.count { $0 == UInt8(ascii: "\n") } + 1
        switch first {
        case .success(let loaded):
            for (name, origin) in loaded.origins {
                guard case .file(_, let line) = origin else { continue }
                try BrokenPromise.unless((1...lineCount).contains(line), "\(name) stands on a line, not \(line)")
            }
        case .failure(let error):
            for message in error.messages { try self.check(message, lineCount: lineCount) }
        }
    }

    private static func check(_ message: String, lineCount: Int) throws(BrokenPromise) {
        let isOneLine = message.utf8.allSatisfy { $0 != 0x0A && $0 != 0x0D }
        try BrokenPromise.unless(isOneLine, "a mistake is one line: \(message.debugDescription)")
        let place = message.dropFirst(self.path.utf8.count + 1).prefix { $0.isASCII && $0.isNumber }
        let hasLine = message.hasPrefix(self.path + ":") && Int(place).map { (1...lineCount + 1).contains($0) } == true
        try BrokenPromise.unless(hasLine, "a mistake has its line: \(message.debugDescription)")
    }

    private static func load(_ input: [UInt8]) -> Result<LoadedSettings, SettingsError> {
        var options = CommandLineOptions()
        options.configurationDirectory = "/etc/faktory"
        let files = ConfigurationFiles(
            read: { (path) throws(ConfigurationFiles.Failure) in
                guard path == Self.path else { throw .missing }
                return input
            },
            list: { (_) throws(ConfigurationFiles.Failure) in throw .missing }
        )
        // Without the rules for passwords, whose mistakes are of other files.
        let loader = SettingsLoader(options: options, variables: [:], files: files, needsPassword: false)
        do throws(SettingsError) {
            return .success(try loader.load())
        } catch {
            return .failure(error)
        }
    }
}
