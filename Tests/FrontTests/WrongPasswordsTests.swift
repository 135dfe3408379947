import Front
import JobCore
import Testing

@Suite("Wrong passwords")
struct WrongPasswordsTests {
    private let start = Uptime(nanoseconds: 0)

    @Test("an address may be wrong so many times in a row and then has to wait for each further try")
    func burst() {
        var table = WrongPasswords(burst: 3, recovery: .seconds(6), maximumAddressCount: 10)
        for _ in 0..<3 {
            #expect(table.mayTry("a", at: self.start))
            table.note("a", at: self.start)
        }
        #expect(!table.mayTry("a", at: self.start + .milliseconds(5_999)))
        #expect(table.mayTry("b", at: self.start))
        #expect(table.mayTry("a", at: self.start + .seconds(6)))
        table.note("a", at: self.start + .seconds(6))
        #expect(!table.mayTry("a", at: self.start + .milliseconds(11_999)))
        #expect(table.mayTry("a", at: self.start + .seconds(12)))
    }

    @Test("all is forgiven in the end")
    func recovery() {
        var table = WrongPasswords(burst: 2, recovery: .seconds(6), maximumAddressCount: 10)
        for _ in 0..<2 { table.note("a", at: self.start) }
        let later = self.start + .seconds(12)
        for _ in 0..<2 {
            #expect(table.mayTry("a", at: later))
            table.note("a", at: later)
        }
        #expect(!table.mayTry("a", at: later))
    }

    @Test("a full table forgets whoever has the least to be forgiven")
    func bound() {
        var table = WrongPasswords(burst: 1, recovery: .seconds(6), maximumAddressCount: 2)
        for _ in 0..<2 { table.note("a", at: self.start) }
        table.note("b", at: self.start)
        table.note("c", at: self.start)
        #expect(!table.mayTry("a", at: self.start))
        #expect(table.mayTry("b", at: self.start))
    }
}
