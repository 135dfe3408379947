import Election
import Testing

@Suite("What is asked of a member")
struct MemberRequestTests {
    @Test(
        "is read as it was written",
        arguments: [
            MemberRequest.status, .handOver(to: MemberID(1)), .handOver(to: MemberID(63)),
            .recover(acceptLoss: false), .recover(acceptLoss: true),
        ]
    )
    func roundTrip(request: MemberRequest) {
        #expect(MemberRequest(decoding: request.encoded()) == request)
    }

    @Test(
        "is nothing when any byte of it is another",
        arguments: [
            "", "millrace", "millrace 2 status", "millrace 1 ", "millrace 1 Status", "millrace 1 status ",
            "millrace 1 hand-over 64", "millrace 1 hand-over 01", "millrace 1 hand-over +1",
            "millrace 1 recover accept", "millrace 1 status\n",
        ]
    )
    func refused(text: String) {
        #expect(MemberRequest(decoding: Array(text.utf8)) == nil)
    }
}
