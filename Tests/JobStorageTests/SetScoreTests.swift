import JobCore
import JobStorage
import Testing

@Suite("A score")
struct SetScoreTests {
    @Test(
        "cuts off fractions of a microsecond towards the past",
        arguments: [(0, 0), (999, 0), (1_000, 1), (1_999, 1), (-1, -1), (-1_000, -1), (-1_001, -2)] as [(Int64, Int64)]
    )
    func rounding(nanoseconds: Int64, microseconds: Int64) {
        #expect(SetScore(WallTime(nanosecondsSinceEpoch: nanoseconds)).microseconds == microseconds)
    }

    @Test("ends where a double no longer holds each microsecond")
    func ends() throws {
        #expect(SetScore(WallTime(nanosecondsSinceEpoch: .max)).microseconds == 1 << 53)
        #expect(SetScore(WallTime(nanosecondsSinceEpoch: .min)).microseconds == -(1 << 53))
        #expect(SetScore(microseconds: 1 << 53)?.time.rfc3339 == "2255-06-05T23:47:34.740992Z")
        #expect(SetScore(microseconds: -(1 << 53))?.time.rfc3339 == "1684-07-28T00:12:25.259008Z")
        #expect(SetScore(microseconds: (1 << 53) + 1) == nil)
        #expect(SetScore(microseconds: -(1 << 53) - 1) == nil)
    }

    @Test("comes back the same once it was rounded")
    func idempotence() {
        for nanoseconds in [Int64.min, -1_001, 0, 1_795_440_108_123_456_789, 9_007_199_254_740_993_999, .max] {
            let rounded = WallTime(nanosecondsSinceEpoch: nanoseconds).roundedToScore
            #expect(rounded.roundedToScore == rounded)
            #expect(Int64(Double(SetScore(rounded).microseconds)) == SetScore(rounded).microseconds)
        }
    }
}
