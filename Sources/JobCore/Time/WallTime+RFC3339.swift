extension WallTime {
    /// Reads a time stamp such as `2026-03-01T08:15:30.5Z` or `2026-03-01T09:15:30+01:00`.
    ///
    /// The day and the time have to exist. Any number of fraction digits is taken; those beyond the ninth are dropped.
    /// A moment beyond the range of the type becomes its nearest end.
    public init?(rfc3339 text: String) {
        var text = text
        guard let time = text.withUTF8({ WallTime(rfc3339: $0) }) else { return nil }
        self = time
    }

    /// Reads a time stamp from its bytes.
    public init?(rfc3339 bytes: ArraySlice<UInt8>) {
        guard let time = bytes.withUnsafeBufferPointer({ WallTime(rfc3339: $0) }) else { return nil }
        self = time
    }

    package init?(rfc3339 bytes: UnsafeBufferPointer<UInt8>) {
        var reader = TimestampReader(bytes: bytes)
        guard let year = reader.number(digitCount: 4), reader.take(UInt8(ascii: "-")),
            let month = reader.number(digitCount: 2), reader.take(UInt8(ascii: "-")),
            let day = reader.number(digitCount: 2), reader.take(UInt8(ascii: "T")),
            let hour = reader.number(digitCount: 2), hour < 24, reader.take(UInt8(ascii: ":")),
            let minute = reader.number(digitCount: 2), minute < 60, reader.take(UInt8(ascii: ":")),
            let second = reader.number(digitCount: 2), second < 60,
            let nanoseconds = reader.fraction(),
            let offset = reader.offset(), reader.isAtEnd,
            let date = CivilDate(year: year, month: month, day: day)
        else { return nil }

        let seconds = date.daysSinceEpoch * 86_400 + hour * 3_600 + minute * 60 + second - offset
        // Counted up to the next second, a moment before 1970 has both parts of one sign and cannot overflow half way.
        let isBeforeEpoch = seconds < 0 && nanoseconds > 0
        self.init(
            nanosecondsSinceEpoch: SaturatingNanoseconds.of(
                seconds: Int64(isBeforeEpoch ? seconds + 1 : seconds),
                nanoseconds: Int64(isBeforeEpoch ? nanoseconds - 1_000_000_000 : nanoseconds)
            )
        )
    }

    /// The moment in UTC with up to nine fraction digits, trailing zeros left out: `2026-03-01T08:15:30.5Z`.
    public var rfc3339: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(30)
        self.appendRFC3339(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The day in UTC: `2026-03-01`.
    public var dayText: String {
        String(self.rfc3339.prefix(10))
    }

    package func appendRFC3339(to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: TimestampWriter.maximumByteCount) { buffer in
            var writer = TimestampWriter(buffer: buffer)
            writer.write(self)
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[..<writer.count]))
        }
    }
}

/// Writes a time stamp into memory that is large enough for any.
private struct TimestampWriter {
    /// The length of `2026-11-23T13:20:48.378648997Z`.
    static let maximumByteCount = 30

    let buffer: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(buffer: UnsafeMutableBufferPointer<UInt8>) {
        self.buffer = buffer
    }

    mutating func write(_ time: WallTime) {
        let nanosecondsPerDay = 86_400_000_000_000
        var (day, rest) = Int(time.nanosecondsSinceEpoch).quotientAndRemainder(dividingBy: nanosecondsPerDay)
        if rest < 0 { (day, rest) = (day - 1, rest + nanosecondsPerDay) }
        let (seconds, fraction) = rest.quotientAndRemainder(dividingBy: 1_000_000_000)

        let date = CivilDate(daysSinceEpoch: day)
        self.write(date.year, digitCount: 4)
        self.write(UInt8(ascii: "-"), date.month)
        self.write(UInt8(ascii: "-"), date.day)
        self.write(UInt8(ascii: "T"), seconds / 3_600)
        self.write(UInt8(ascii: ":"), seconds / 60 % 60)
        self.write(UInt8(ascii: ":"), seconds % 60)
        self.write(fraction: fraction)
        self.write(UInt8(ascii: "Z"))
    }

    private mutating func write(fraction nanoseconds: Int) {
        guard nanoseconds > 0 else { return }
        var fraction = nanoseconds
        var digitCount = 9
        while fraction % 10 == 0 {
            fraction /= 10
            digitCount -= 1
        }
        self.write(UInt8(ascii: "."))
        self.write(fraction, digitCount: digitCount)
    }

    private mutating func write(_ mark: UInt8, _ number: Int) {
        self.write(mark)
        self.write(number, digitCount: 2)
    }

    private mutating func write(_ byte: UInt8) {
        self.buffer[self.count] = byte
        self.count += 1
    }

    private mutating func write(_ number: Int, digitCount: Int) {
        var rest = number
        for index in stride(from: self.count + digitCount - 1, through: self.count, by: -1) {
            self.buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        self.count += digitCount
    }
}

/// A cursor over the characters of a time stamp.
private struct TimestampReader {
    let bytes: UnsafeBufferPointer<UInt8>
    var index = 0

    init(bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { self.index == self.bytes.count }

    mutating func take(_ byte: UInt8) -> Bool {
        guard self.index < self.bytes.count, self.bytes[self.index] == byte else { return false }
        self.index += 1
        return true
    }

    mutating func digit() -> Int? {
        guard self.index < self.bytes.count, case let value = self.bytes[self.index] &- UInt8(ascii: "0"), value < 10
        else { return nil }
        self.index += 1
        return Int(value)
    }

    mutating func number(digitCount: Int) -> Int? {
        var number = 0
        for _ in 0..<digitCount {
            guard let digit = self.digit() else { return nil }
            number = number * 10 + digit
        }
        return number
    }

    /// The nanoseconds after the whole second, 0 when there is no fraction, nil when it has no digits.
    mutating func fraction() -> Int? {
        guard self.take(UInt8(ascii: ".")) else { return 0 }
        guard var nanoseconds = self.digit() else { return nil }
        var digitCount = 1
        while let digit = self.digit() {
            guard digitCount < 9 else { continue }
            nanoseconds = nanoseconds * 10 + digit
            digitCount += 1
        }
        for _ in digitCount..<9 { nanoseconds *= 10 }
        return nanoseconds
    }

    /// The seconds by which the clock that was read is ahead of UTC.
    mutating func offset() -> Int? {
        if self.take(UInt8(ascii: "Z")) { return 0 }
        let isAhead = self.take(UInt8(ascii: "+"))
        guard isAhead || self.take(UInt8(ascii: "-")),
            let hours = self.number(digitCount: 2), hours < 24, self.take(UInt8(ascii: ":")),
            let minutes = self.number(digitCount: 2), minutes < 60
        else { return nil }
        let seconds = hours * 3_600 + minutes * 60
        return isAhead ? seconds : -seconds
    }
}
