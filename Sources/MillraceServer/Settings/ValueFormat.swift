/// How one kind of setting is read and written.
package struct ValueFormat<Value: Sendable>: Sendable {
    /// What the kind is called in an error message, with an example.
    let expectation: String
    /// Gives the value, or `nil` if what was given is not of this kind.
    let parse: @Sendable (SettingValue) -> Value?
    let print: @Sendable (Value) -> String
    /// Whether an error message must not repeat what was given.
    var isSecret = false

    /// The same kind for a setting that may be left out.
    var optional: ValueFormat<Value?> {
        ValueFormat<Value?>(
            expectation: self.expectation,
            parse: { given in self.parse(given).map { .some($0) } },
            print: { value in value.map(self.print) ?? "" },
            isSecret: self.isSecret
        )
    }
}

extension ValueFormat<String> {
    static let text = ValueFormat(
        expectation: "a string",
        parse: { if case .text(let text) = $0 { text } else { nil } },
        print: { $0 }
    )
}

extension ValueFormat<Int> {
    static let integer = ValueFormat(
        expectation: "a whole number",
        parse: { given in
            switch given {
            case .integer(let number): number
            case .text(let text): Int(text)
            default: nil
            }
        },
        print: { "\($0)" }
    )

    static let byteCount = ValueFormat(
        expectation: "a size such as \"8MiB\" or a number of bytes",
        parse: { given in
            switch given {
            case .integer(let number): number
            case .text(let text): ByteCountText.parse(text)
            default: nil
            }
        },
        print: ByteCountText.print
    )
}

extension ValueFormat<Bool> {
    static let boolean = ValueFormat(
        expectation: "true or false",
        parse: { given in
            switch given {
            case .boolean(let value): value
            case .text("true"), .text("yes"), .text("1"): true
            case .text("false"), .text("no"), .text("0"): false
            default: nil
            }
        },
        print: { "\($0)" }
    )
}

extension ValueFormat<Duration> {
    static let duration = ValueFormat(
        expectation: "a duration such as \"1.9s\" or \"250ms\", or a number of seconds",
        parse: { given in
            switch given {
            case .integer(let number): DurationText.parse(seconds: Double(number))
            case .decimal(let number): DurationText.parse(seconds: number)
            case .text(let text): DurationText.parse(text)
            default: nil
            }
        },
        print: DurationText.print
    )
}

extension ValueFormat<Secret> {
    static let secret = ValueFormat(
        expectation: "a string",
        parse: { if case .text(let text) = $0 { Secret(text) } else { nil } },
        print: { $0.description },
        isSecret: true
    )
}

extension ValueFormat<HostPort> {
    static let address = ValueFormat(
        expectation: "an address such as \"127.0.0.1:7419\"",
        parse: { if case .text(let text) = $0 { HostPort(parsing: text) } else { nil } },
        print: { $0.description }
    )
}

extension ValueFormat {
    /// One value, several with commas between them, or an array of them.
    static func list<Element>(
        of element: ValueFormat<Element>,
        expectation: String
    ) -> ValueFormat where Value == [Element] {
        ValueFormat(
            expectation: expectation,
            parse: { given in
                let given: [SettingValue]? =
                    switch given {
                    case .text(let text):
                        text.split(separator: ",", omittingEmptySubsequences: false).map { .text(String($0)) }
                    case .list(let values): values
                    default: nil
                    }
                guard let given else { return nil }
                let values = given.compactMap(element.parse)
                return values.count == given.count ? values : nil
            },
            print: { values in values.map(element.print).joined(separator: ",") }
        )
    }
}

extension ValueFormat<[HostPort]> {
    static let addresses = ValueFormat.list(
        of: .address,
        expectation: "an address such as \"127.0.0.1:7419\", or an array of them"
    )
}

extension ValueFormat<[String]> {
    static let texts = ValueFormat.list(of: .text, expectation: "a string, or an array of them")
}

extension ValueFormat<[ClusterSection.Member]> {
    static let members = ValueFormat.list(
        of: ValueFormat<ClusterSection.Member>(
            expectation: "a member such as \"1@10.0.0.1\"",
            parse: { if case .text(let text) = $0 { ClusterSection.Member(parsing: text) } else { nil } },
            print: { $0.description }
        ),
        expectation: "an array of members such as [\"1@10.0.0.1\", \"2@10.0.0.2\", \"3@10.0.0.3\"]"
    )
}

extension ValueFormat<ManagerSection.Endpoint> {
    static let endpoint = ValueFormat(
        expectation: "an endpoint such as \"ipc:///run/millrace/manager.sock\" or \"tcp://10.0.0.1:7421\"",
        parse: { if case .text(let text) = $0 { ManagerSection.Endpoint(parsing: text) } else { nil } },
        print: { $0.description }
    )
}

extension ValueFormat where Value: RawRepresentable<String> & CaseIterable {
    /// One of the words of an enumeration.
    static var choice: ValueFormat {
        ValueFormat(
            expectation: "one of " + Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "),
            parse: { if case .text(let text) = $0 { Value(rawValue: text) } else { nil } },
            print: { $0.rawValue }
        )
    }
}
