import JobCore
import Testing

struct SeededGeneratorTests {
    @Test("the same seed gives the same numbers, those of the algorithm's reference")
    func reference() {
        // The first results of Vigna's splitmix64.c for this seed.
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ]
        var generator = SeededGenerator(seed: 1_234_567)
        #expect(expected.map { _ in generator.next() } == expected)
    }
}
