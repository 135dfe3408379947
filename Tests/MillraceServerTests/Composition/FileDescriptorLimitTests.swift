import Testing

@testable import MillraceServer

@Suite("The limit of open files")
struct FileDescriptorLimitTests {
    @Test("as many clients are served as the settings say, where the system allows it")
    func enough() throws {
        let limit = FileDescriptorLimit.reserve + FileDescriptorLimit.margin + 10_000
        #expect(try FileDescriptorLimit.clients(ofEach: 1, wanted: 10_000, within: limit) == 10_000)
        #expect(try FileDescriptorLimit.clients(ofEach: 1, wanted: 10_000, within: limit - 1) == 9_999)
    }

    @Test("all bounds together stay below the limit", arguments: [1, 2, 16], [1_024, 20_000, 1_048_576])
    func sum(addressCount: Int, limit: Int) throws {
        guard let count = try? FileDescriptorLimit.clients(ofEach: addressCount, wanted: 50_000, within: limit) else {
            #expect(addressCount * (FileDescriptorLimit.leastClientCount + FileDescriptorLimit.margin) > limit / 2)
            return
        }
        let sum = addressCount * (count + FileDescriptorLimit.margin) + FileDescriptorLimit.reserve
        #expect(sum <= limit)
    }

    @Test("a limit with room for hardly anybody is refused, and the line says how much is needed")
    func tooLow() throws {
        let least = FileDescriptorLimit.reserve + FileDescriptorLimit.margin + FileDescriptorLimit.leastClientCount
        #expect(try FileDescriptorLimit.clients(ofEach: 1, wanted: 10_000, within: least) == 16)
        let error = #expect(throws: FileDescriptorLimit.TooLow.self) {
            try FileDescriptorLimit.clients(ofEach: 1, wanted: 10_000, within: least - 1)
        }
        #expect(error?.least == least)
    }
}
