import ClusterLinkZeroMQ
import Testing
import ZeroMQ

@Suite("The list of admitted keys")
struct LinkKeyringTests {
    /// A key that is no real one, but looks like it.
    private static func key(_ character: Character) -> String { String(repeating: character, count: 40) }

    @Test(
        "lets each key in where its role belongs, and nowhere else",
        arguments: [
            ("f", LinkDomain.clients, true), ("f", .members, false), ("s", .clients, true), ("s", .members, false),
            ("m", .clients, false), ("m", .members, true), ("x", .clients, false), ("x", .members, false),
        ] as [(Character, LinkDomain, Bool)]
    )
    func roles(character: Character, domain: LinkDomain, isAdmitted: Bool) throws {
        let text = """
            # Who may take part.
            front \(Self.key("f")) the front of the east
            scheduler\t\(Self.key("s"))\r

            member 2 \(Self.key("m"))
            """
        let keyring = try LinkKeyring(parsing: text, path: "allowed")
        let key = try CurveKey(parsing: Self.key(character))
        #expect(keyring.admits(key, to: domain) == isAdmitted)
    }

    @Test("tells members by their keys, and nobody else")
    func members() throws {
        let text = "front \(Self.key("f"))\nmember 2 \(Self.key("m"))"
        let keyring = try LinkKeyring(parsing: text, path: "allowed")
        let (front, member) = (try CurveKey(parsing: Self.key("f")), try CurveKey(parsing: Self.key("m")))
        #expect(keyring.member(of: member) == 2)
        #expect(keyring.member(of: front) == nil)
        #expect(keyring.has(front, as: .front))
        #expect(!keyring.has(front, as: .member))
        #expect(keyring.key(ofMember: 2) == member)
        #expect(keyring.key(ofMember: 1) == nil)
    }

    @Test("lets one key have several roles")
    func severalRoles() throws {
        let text = "front \(Self.key("a"))\nmember 1 \(Self.key("a"))"
        let keyring = try LinkKeyring(parsing: text, path: "allowed")
        let key = try CurveKey(parsing: Self.key("a"))
        #expect(keyring.admits(key, to: .clients))
        #expect(keyring.admits(key, to: .members))
        #expect(keyring.member(of: key) == 1)
    }

    @Test("lets a line be left out by a number sign, with which no key begins", arguments: ["#", "# ", "  #"])
    func numberSign(mark: String) throws {
        let keyring = try LinkKeyring(parsing: "\(mark)front \(Self.key("f"))", path: "allowed")
        #expect(keyring == LinkKeyring())
        #expect(throws: ZeroMQError.invalidKey) { try CurveKey(parsing: "#" + String(repeating: "0", count: 39)) }
    }

    @Test(
        "says in which line something else stands",
        arguments: [
            "operator \(key("a"))", "front", "front short", "front \(key("a"))a", "member \(key("a"))",
            "member 0 \(key("a"))", "member -1 \(key("a"))", "member 1", "member 9 \(key("b"))", "member 8 \(key("9"))",
        ]
    )
    func wrongLine(line: String) {
        let text = "\nmember 9 \(Self.key("9"))\n\(line)"
        let error = #expect(throws: LinkKeyError.self) { _ = try LinkKeyring(parsing: text, path: "allowed") }
        guard case .line("allowed", 3, let reason) = error else {
            Issue.record("the error is \(String(describing: error))")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test("holds as many keys as its bound allows and no more", arguments: [0, 1])
    func bound(excess: Int) throws {
        let lines = (0..<LinkKeyring.bound + excess).map { number in
            let digits = String(number)
            return "front " + String(repeating: "0", count: 40 - digits.count) + digits
        }
        let keyring = try? LinkKeyring(parsing: lines.joined(separator: "\n"), path: "allowed")
        #expect((keyring != nil) == (excess == 0))
    }
}
