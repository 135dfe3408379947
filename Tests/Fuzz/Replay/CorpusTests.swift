import Foundation
import FuzzTargets
import Testing

/// The first inputs of the fuzzers, so that what they found stays found without them.
@Suite("Fuzz targets")
struct CorpusTests {
    @Test("keep their promises for each file of their corpus", arguments: FuzzTarget.allCases)
    func corpus(target: FuzzTarget) throws {
        let inputs = try Self.inputs(of: target)
        #expect(!inputs.isEmpty)
        for (name, bytes) in inputs {
            #expect(throws: Never.self, "\(target)/\(name)") { try target.check(bytes) }
        }
    }

    @Test("keep their promises for each start of each file of their corpus", arguments: FuzzTarget.allCases)
    func truncated(target: FuzzTarget) throws {
        for (name, bytes) in try Self.inputs(of: target) {
            for byteCount in 0..<min(bytes.count, 256) {
                #expect(throws: Never.self, "\(byteCount) bytes of \(target)/\(name)") {
                    try target.check(Array(bytes.prefix(byteCount)))
                }
            }
        }
    }

    private static func inputs(of target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = try #require(Bundle.module.resourceURL).appending(path: "Corpus/\(target.rawValue)")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            (name, [UInt8](try Data(contentsOf: folder.appending(path: name))))
        }
    }
}
