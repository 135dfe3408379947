import Testing

@testable import MillraceServer

@Suite("Password rules")
struct PasswordRulesTests {
    private static let defaultFile = [PasswordRules.defaultFile: " from-file\n"]

    private static func password(
        _ environment: Settings.Environment,
        _ variables: [String: String] = [:],
        configured: String? = nil,
        files: [String: String] = [:],
        unreadable: Set<String> = []
    ) throws(PasswordRules.Failure) -> String? {
        let files = ConfigurationFiles.memory(files, unreadable: unreadable)
        let rules = PasswordRules(environment: environment, variables: variables, files: files)
        return try rules.password(configured: configured.map { Secret($0) })?.value
    }

    @Test("development needs no password and does not look for the default file")
    func development() throws {
        #expect(try Self.password(.development, files: Self.defaultFile) == nil)
        #expect(try Self.password(.development, configured: "literal") == "literal")
        #expect(try Self.password(.development, ["FAKTORY_PASSWORD": "env"]) == "env")
    }

    @Test(
        "staging and production refuse to start without a password",
        arguments: [Settings.Environment.staging, .production]
    )
    func required(environment: Settings.Environment) {
        #expect(throws: PasswordRules.Failure.required) { try Self.password(environment) }
        #expect(
            PasswordRules.Failure.required.description
                == "faktory requires a password to be set in staging or production, see the Security wiki page"
        )
    }

    @Test("the variable goes before the configured value, even when it is empty")
    func variableFirst() throws {
        #expect(try Self.password(.production, ["FAKTORY_PASSWORD": "env"], configured: "toml") == "env")
        #expect(try Self.password(.development, ["FAKTORY_PASSWORD": ""], configured: "toml") == nil)
        #expect(throws: PasswordRules.Failure.required) {
            try Self.password(.production, ["FAKTORY_PASSWORD": ""], configured: "toml")
        }
    }

    @Test("production falls back on the default file when nothing else is set")
    func defaultFile() throws {
        #expect(try Self.password(.production, files: Self.defaultFile) == "from-file")
        #expect(try Self.password(.production, ["FAKTORY_PASSWORD": ""], files: Self.defaultFile) == "from-file")
        #expect(try Self.password(.production, configured: "toml", files: Self.defaultFile) == "toml")
    }

    @Test("a value that starts with a slash names a file, whose white space at both ends is dropped")
    func namedFile() throws {
        let files = ["/secret": "\r\n\t two words \n"]
        #expect(try Self.password(.production, configured: "/secret", files: files) == "two words")
        #expect(try Self.password(.development, ["FAKTORY_PASSWORD": "/secret"], files: files) == "two words")
    }

    @Test("a named file that is missing or cannot be read stops the start, in development too")
    func unreadable() {
        #expect(throws: PasswordRules.Failure.unreadable(path: "/none", reason: "No such file or directory")) {
            try Self.password(.development, configured: "/none")
        }
        #expect(throws: PasswordRules.Failure.unreadable(path: "/x", reason: "Permission denied")) {
            try Self.password(.production, configured: "/x", unreadable: ["/x"])
        }
        #expect(throws: PasswordRules.Failure.unreadable(path: PasswordRules.defaultFile, reason: "Permission denied"))
        {
            try Self.password(.production, unreadable: [PasswordRules.defaultFile])
        }
    }

    @Test("an empty file is no password")
    func emptyFile() throws {
        let files = ["/empty": " \n"]
        #expect(throws: PasswordRules.Failure.required) {
            try Self.password(.production, configured: "/empty", files: files)
        }
        #expect(try Self.password(.development, configured: "/empty", files: files) == nil)
    }

    @Test(
        "only 1, true and yes skip the password, and then the default file is not looked for",
        arguments: ["1", "true", "yes"]
    )
    func skipped(word: String) throws {
        #expect(try Self.password(.production, ["FAKTORY_SKIP_PASSWORD": word], files: Self.defaultFile) == nil)
        #expect(try Self.password(.production, ["FAKTORY_SKIP_PASSWORD": word], configured: "toml") == "toml")
    }

    @Test("other words do not skip the password", arguments: ["", "0", "no", "TRUE", "on"])
    func notSkipped(word: String) {
        #expect(throws: PasswordRules.Failure.required) {
            try Self.password(.production, ["FAKTORY_SKIP_PASSWORD": word])
        }
    }

    @Test("the web pages have the server's password unless they have one of their own")
    func web() throws {
        let rules = PasswordRules(environment: .production, variables: [:], files: .memory(["/web": "w\n"]))
        #expect(try rules.webPassword(configured: nil, server: Secret("s"))?.value == "s")
        #expect(try rules.webPassword(configured: Secret("own"), server: Secret("s"))?.value == "own")
        #expect(try rules.webPassword(configured: Secret("/web"), server: nil)?.value == "w")
        #expect(try rules.webPassword(configured: nil, server: nil) == nil)
    }
}
