import Logging
import TestSupport
import Testing
import ZeroMQ

@testable import ClusterLinkZeroMQ
@testable import MillraceServer

@Suite("The log of peers that were turned away")
struct RefusalLogTests {
    @Test("has one line a second, which tells how many there were without one")
    func flood() throws {
        let lines = Told<String>()
        let log = RefusalLog(logger: Logger(label: "test") { _ in TellingLogHandler(lines) })
        let key = try CurveKey(parsing: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7")
        let start = ContinuousClock.now
        for milliseconds in [0, 1, 999, 1_000, 1_500, 2_000, 3_000] {
            let shown = milliseconds == 0 ? nil : key
            let refusal = KeyGate.Refusal(address: "10.0.0.9", domain: "fronts", key: shown)
            log.note(refusal, at: start + .milliseconds(milliseconds))
        }
        let text = "a peer was turned away: cluster.curve_allowed does not admit its key here address=10.0.0.9"
        #expect(
            lines.elements == [
                "\(text) key=none others=0 port=fronts", "\(text) key=\(key.text) others=2 port=fronts",
                "\(text) key=\(key.text) others=1 port=fronts", "\(text) key=\(key.text) others=0 port=fronts",
            ]
        )
    }
}
