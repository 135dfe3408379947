import Testing

@testable import Front

@Suite("The configuration of a front")
struct FrontConfigurationTests {
    @Test("a FETCH waits for less than a stream timeout of two seconds")
    func fetchWait() {
        // Some clients give up after two seconds; what is left is for the way there and back.
        #expect(FrontServer.Configuration().fetchWait == .milliseconds(1_900))
    }
}
