import Election
import Testing

@testable import Manager

@Suite("A member's inbox")
struct MemberInboxTests {
    private static let event = PeerNetworkEvent.connected(MemberID(2))

    @Test("takes as much from others as its bound allows, and more once some was taken out")
    func bound() async {
        let inbox = MemberInbox()
        for _ in 0...MemberInbox.peerBound { inbox.put(Self.event) }
        // What this member asked for itself is taken all the same.
        inbox.put(.tick)
        inbox.notePeerTaken()
        inbox.put(Self.event)
        inbox.finish()
        var peerCount = 0
        var ownCount = 0
        for await entry in inbox.entries {
            if case .peer = entry { peerCount += 1 } else { ownCount += 1 }
        }
        #expect(peerCount == MemberInbox.peerBound + 1)
        #expect(ownCount == 1)
    }
}
