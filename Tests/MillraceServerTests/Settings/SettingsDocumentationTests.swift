import Foundation
import Testing

@testable import MillraceServer

@Suite("Pages made from the settings' definitions")
struct SettingsDocumentationTests {
    private static func example() throws -> String { try Self.committed("config/millrace.toml") }

    /// A file of the repository.
    private static func committed(_ path: String) throws -> String {
        var directory = URL(filePath: #filePath)
        for _ in 0..<4 { directory.deleteLastPathComponent() }
        return try String(contentsOf: directory.appending(path: path), encoding: .utf8)
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

    @Test("config/millrace.toml is what `millrace config example` prints")
    func exampleIsCurrent() throws {
        #expect(try Self.example() == SettingsDocumentation.example)
    }

    @Test("docs/settings.md is what `millrace config reference` prints")
    func referenceIsCurrent() throws {
        #expect(try Self.committed("docs/settings.md") == SettingsDocumentation.reference)
    }

    @Test("as delivered the example changes nothing")
    func changesNothing() throws {
        #expect(try Self.load(try Self.example()).changes(from: try Self.load("")).isEmpty)
    }

    @Test("the example names every setting, and shows the default of each that has one")
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
