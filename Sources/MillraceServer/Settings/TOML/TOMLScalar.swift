/// Values that are neither strings nor made of other values.
enum TOMLScalar {
    /// What a text without its spaces stands for; nil when it is no value.
    static func value(of text: String) -> SettingValue? {
        switch text {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        default: break
        }
        if let number = Self.integer(text) { return .integer(number) }
        if let number = Self.decimal(text) { return .decimal(number) }
        return Self.kindOfTime(text).map(SettingValue.other)
    }

    // MARK: Numbers

    private static func integer(_ text: String) -> Int? {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.hasPrefix(prefix) {
            return Self.digits(text.dropFirst(2)) { $0.hexDigitValue.map { $0 < radix } ?? false }
                .flatMap { Int($0, radix: radix) }
        }
        let (sign, number) = Self.splitSign(text[...])
        return Self.wholeNumber(number).flatMap { Int(sign + $0) }
    }

    private static func decimal(_ text: String) -> Double? {
        let (sign, number) = Self.splitSign(text[...])
        if number == "inf" || number == "nan" { return Double(sign + number) }
        let halves = number.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
        let parts = halves[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2 || parts.count == 2, var plain = Self.wholeNumber(parts[0]) else { return nil }
        if parts.count == 2 {
            guard let fraction = Self.digits(parts[1], Self.isDecimalDigit) else { return nil }
            plain += "." + fraction
        }
        if halves.count == 2 {
            let (sign, exponent) = Self.splitSign(halves[1])
            guard let exponent = Self.digits(exponent, Self.isDecimalDigit) else { return nil }
            plain += "e" + sign + exponent
        }
        return Double(sign + plain)
    }

    private static func splitSign(_ text: Substring) -> (sign: String, number: Substring) {
        guard let first = text.first, first == "+" || first == "-" else { return ("", text) }
        return (String(first), text.dropFirst())
    }

    /// A number's digits without underscores, when it begins with no zero that could be left out.
    private static func wholeNumber(_ text: Substring) -> String? {
        text.count > 1 && text.hasPrefix("0") ? nil : Self.digits(text, Self.isDecimalDigit)
    }

    /// Digits without the underscores between them; nil for an underscore that is not between two.
    private static func digits(_ text: Substring, _ isDigit: (Character) -> Bool) -> String? {
        let groups = text.split(separator: "_", omittingEmptySubsequences: false)
        guard groups.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isDigit) }) else { return nil }
        return groups.joined()
    }

    private static func isDecimalDigit(_ character: Character) -> Bool {
        ("0"..."9").contains(character)
    }

    // MARK: Dates and times

    /// What kind of time a text is, in the form of RFC 3339; nil when it is none.
    private static func kindOfTime(_ text: String) -> String? {
        if Self.isTime(text[...]) { return "time" }
        guard Self.isDate(text.prefix(10)) else { return nil }
        let rest = text.dropFirst(10)
        guard let separator = rest.first else { return "date" }
        guard separator == "T" || separator == "t" || separator == " " else { return nil }
        return Self.isTime(Self.withoutOffset(rest.dropFirst())) ? "date and time" : nil
    }

    private static func isDate(_ text: Substring) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard text.count == 10, parts.count == 3, let year = Self.number(parts[0], digitCount: 4),
            let month = Self.number(parts[1], digitCount: 2), let day = Self.number(parts[2], digitCount: 2)
        else { return false }
        let isLeapYear = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
        let dayCounts = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...12).contains(month) && (1...dayCounts[month - 1]).contains(day)
    }

    private static func isTime(_ text: Substring) -> Bool {
        let halves = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let parts = halves[0].split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let hour = Self.number(parts[0], digitCount: 2),
            let minute = Self.number(parts[1], digitCount: 2), let second = Self.number(parts[2], digitCount: 2)
        else { return false }
        let hasFraction = halves.count == 1 || !halves[1].isEmpty && halves[1].allSatisfy(Self.isDecimalDigit)
        // 60 is a leap second.
        return hour < 24 && minute < 60 && second <= 60 && hasFraction
    }

    /// A time without its difference from UTC, or the whole text, which then is no time, when that is wrong.
    private static func withoutOffset(_ text: Substring) -> Substring {
        if text.hasSuffix("Z") || text.hasSuffix("z") { return text.dropLast() }
        let offset = text.suffix(6)
        let parts = offset.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard offset.hasPrefix("+") || offset.hasPrefix("-"), parts.count == 2,
            let hour = Self.number(parts[0], digitCount: 2), let minute = Self.number(parts[1], digitCount: 2),
            hour < 24, minute < 60
        else { return text }
        return text.dropLast(6)
    }

    private static func number(_ text: Substring, digitCount: Int) -> Int? {
        text.count == digitCount && text.allSatisfy(Self.isDecimalDigit) ? Int(text) : nil
    }
}
