import ClusterLink
import NIOCore
import NIOEmbedded
import Testing

@testable import Front

@Suite("The order of replies")
struct ReplyOrderTests {
    @Test(
        "whatever closes, half-closes, stalls, comes late or fails over, each command's answer comes in its turn",
        arguments: 0..<20
    )
    func anyCourse(block: Int) throws {
        for seed in UInt64(block * 200)..<UInt64(block * 200 + 200) {
            var world = try OrderWorld(seed: seed)
            for _ in 0..<60 { try world.step() }
            try world.finish()
            try Self.check(world, seed)
        }
    }

    @Test("the courses that are tried have everything in them that may go wrong")
    func courses() throws {
        var (halfClosed, gone, drained, jobs, takenBack, whole) = (0, 0, 0, 0, 0, 0)
        for seed in UInt64(0)..<400 {
            var world = try OrderWorld(seed: seed)
            for _ in 0..<60 { try world.step() }
            try world.finish()
            halfClosed += world.hasHalfClosed ? 1 : 0
            gone += world.hasDisconnected ? 1 : 0
            drained += world.isDraining ? 1 : 0
            jobs += world.leader.offers.count
            takenBack += world.leader.offers.count { $0.isTakenBack }
            whole += world.answers.count == world.lines.count ? 1 : 0
        }
        #expect(min(halfClosed, gone, drained, takenBack) > 20 && min(jobs, whole) > 100)
    }

    private static func check(_ world: OrderWorld, _ seed: UInt64) throws {
        var answers = world.answers
        let lines = world.lines
        if world.isDraining, answers.last == "-ERR shutdown in progress" { answers.removeLast() }
        try #require(answers.count <= lines.count, "seed \(seed): \(answers) to \(lines)")
        for (number, answer) in answers.enumerated() {
            try #require(lines[number].accepts(answer, number), "seed \(seed): \(answers) to \(lines)")
        }
        let mayBeCut = world.hasDisconnected || world.isDraining
        try #require(mayBeCut || answers.count == lines.count, "seed \(seed): \(answers) to \(lines)")
        if world.hasHalfClosed { try #require(!world.channel.isActive, "seed \(seed)") }
        for (index, offer) in world.leader.offers.enumerated() {
            let wasRead = answers.contains { $0.hasPrefix("J") && $0.hasSuffix(".\(index + 1)") }
            try #require(offer.isSettled || offer.isTakenBack, "seed \(seed): offer \(index + 1) has no end")
            try #require(!wasRead || !offer.isTakenBack || world.hasDisconnected, "seed \(seed): \(index + 1) is twice")
            try #require(wasRead || !offer.isSettled, "seed \(seed): offer \(index + 1) is lost")
        }
    }
}
