/// How one kind of setting is read and written.
package struct ValueFormat<Value: Sendable>: Sendable {
    /// What the kind is called in an error message, with an example.
    let expectation: String
    /// Gives the value, or `nil` if what was given is not of this kind.
    let parse: @Sendable (SettingValue) -> Value?
    let print: @Sendable (Value) -> String
    /// Whether an error message must not repeat what was given.
    var isSecret = false
    /// Whether a file has the value without quotation marks.
    var isBare = false
    /// How a file has the value, where that is not what is printed, with quotation marks or without.
    var spell: (@Sendable (Value) -> String)?
    /// What is taken, for people: `1 to 64`, or the kind where that is all.
    var bounds = ""
    /// Why a value of the kind is not taken, in words that follow the name of the setting; nil when it is.
    var objection: @Sendable (Value) -> String? = { _ in nil }

    /// How a file has the value.
    func document(_ value: Value) -> String {
        self.spell?(value) ?? (self.isBare ? self.print(value) : Self.quoted(self.print(value)))
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    /// The same kind for a setting that may be left out.
    var optional: ValueFormat<Value?> {
        ValueFormat<Value?>(
            expectation: self.expectation,
            parse: { given in self.parse(given).map { .some($0) } },
            print: { value in value.map(self.print) ?? "" },
            isSecret: self.isSecret,
            bounds: self.bounds,
            objection: { value in value.flatMap(self.objection) }
        )
    }

    /// The same kind with a rule that its values have to keep.
    ///
    /// - Parameters:
    ///   - bounds: what is taken, for people, in words that follow *must be*.
    ///   - holds: whether a value keeps the rule.
    func that(mustBe bounds: String, _ holds: @escaping @Sendable (Value) -> Bool) -> ValueFormat {
        var format = self
        format.bounds = bounds
        let (print, isSecret) = (self.print, self.isSecret)
        format.objection = { value in
            if holds(value) { return nil }
            return "must be \(bounds)" + (isSecret ? "" : ", not \"\(print(value))\"")
        }
        return format
    }
}

extension ValueFormat where Value: Comparable {
    /// The same kind with a least and a greatest value.
    fileprivate func within(_ range: ClosedRange<Value>) -> ValueFormat {
        var format = self
        let print = self.print
        let (least, greatest) = (print(range.lowerBound), print(range.upperBound))
        format.bounds = "\(least) to \(greatest)"
        format.objection = { value in
            range.contains(value) ? nil : "must be between \(least) and \(greatest), not \(print(value))"
        }
        return format
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
        print: { "\($0)" },
        isBare: true
    )

    static func integer(_ range: ClosedRange<Int>) -> ValueFormat { Self.integer.within(range) }

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

    static func byteCount(_ range: ClosedRange<Int>) -> ValueFormat { Self.byteCount.within(range) }
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
        print: { "\($0)" },
        isBare: true,
        bounds: "true or false"
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

    static func duration(_ range: ClosedRange<Duration>) -> ValueFormat { Self.duration.within(range) }
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
            print: { values in values.map(element.print).joined(separator: ",") },
            spell: { values in "[" + values.map(element.document).joined(separator: ", ") + "]" }
        )
    }

    /// The same list with a least and a greatest length.
    func counting<Element>(
        _ range: ClosedRange<Int>,
        _ elements: String
    ) -> ValueFormat where Value == [Element] {
        var format = self
        format.bounds = "\(range.lowerBound) to \(range.upperBound) \(elements)"
        format.objection = { values in
            if range.contains(values.count) { return nil }
            return "must name \(range.lowerBound) to \(range.upperBound) \(elements), not \(values.count)"
        }
        return format
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

    /// Texts of which a password is not shown that stands in them by mistake.
    static let endpoints = ValueFormat.list(
        of: ValueFormat<String>(
            expectation: ValueFormat<String>.text.expectation,
            parse: ValueFormat<String>.text.parse,
            print: MaskedEndpoint.text
        ),
        expectation: "a string, or an array of them"
    )
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
            print: { $0.rawValue },
            bounds: Value.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
        )
    }
}
