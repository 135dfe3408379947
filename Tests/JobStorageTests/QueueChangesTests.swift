import JobCore
import JobStorage
import Testing

@Suite("The changes of one queue")
struct QueueChangesTests {
    private let entry = QueueEntry(token: 1, jobID: "j1")
    private let other = QueueEntry(token: 2, jobID: "j2")

    @Test("what is given back and taken at once leaves no trace")
    func cancellation() {
        var changes = QueueChanges()
        changes.giveBack(self.entry)
        changes.take()

        #expect(changes == QueueChanges())
    }

    @Test("takes and returns are kept in their order, those of a kind together")
    func order() {
        var changes = QueueChanges()
        changes.take()
        changes.take()
        changes.giveBack(self.entry)
        changes.giveBack(self.other)
        changes.giveBack(self.entry)
        changes.take()

        #expect(changes.headChanges == [.take(2), .giveBack([self.entry, self.other])])
    }

    @Test("clearing drops what came before it and not what comes after")
    func clearing() {
        var changes = QueueChanges()
        changes.append(self.entry)
        changes.take()
        changes.clear()
        changes.append(self.other)

        #expect(changes.isCleared)
        #expect(changes.appended == [self.other])
        #expect(changes.headChanges == [])
    }
}
