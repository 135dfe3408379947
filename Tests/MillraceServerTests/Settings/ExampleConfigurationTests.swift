import Foundation
import Testing

@testable import MillraceServer

@Suite("config/millrace.toml")
struct ExampleConfigurationTests {
    private static func example() throws -> String {
        var directory = URL(filePath: #filePath)
        for _ in 0..<4 { directory.deleteLastPathComponent() }
        return try String(contentsOf: directory.appending(path: "config/millrace.toml"), encoding: .utf8)
    }

    /// The example with every setting switched on, which it has behind a `#` without a space.
    private static func uncommented() throws -> String {
        try Self.example()
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("#") && !$0.hasPrefix("# ") ? $0.dropFirst() : $0 }
            .joined(separator: "\n")
    }

    private static func load(_ text: String) throws -> LoadedSettings {
        let files = ConfigurationFiles.memory(["/c/millrace.toml": text])
        let options = try CommandLine.parse(["-c", "/c"]).options
        return try SettingsLoader(options: options, variables: [:], files: files, needsPassword: false).load()
    }

    @Test("as delivered it changes nothing")
    func changesNothing() throws {
        #expect(try Self.load(try Self.example()).changes(from: try Self.load("")).isEmpty)
    }

    @Test("it names every setting, and shows the default of each that has one")
    func isComplete() throws {
        let text = try Self.uncommented()
            .split(separator: "\n")
            .filter { !$0.hasPrefix("address = ") }
            .joined(separator: "\n")
        let loaded = try Self.load(text)
        let defaults = try Self.load("")
        for setting in SettingsCatalogue.all where setting.name != "redis.address" {
            #expect(loaded.origins[setting.name] != nil, "\(setting.name) is missing")
            let usual = setting.shown(in: defaults.settings)
            if !usual.isEmpty, setting.name != "storage_directory" {
                #expect(setting.shown(in: loaded.settings) == usual, "\(setting.name)")
            }
        }
        #expect(try Self.example().contains("#address = "))
    }
}
