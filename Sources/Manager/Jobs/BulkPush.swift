import ClusterLink
import JobCore

/// A PUSHB that is carried out a slice at a time: first all of it is checked, then its jobs are taken.
///
/// A text that is no array of jobs is refused as a whole, as upstream does; that is known before any job is taken.
final class BulkPush {
    /// How many bytes are checked, and how many bytes of jobs are taken, in one slice; one job beyond it excepted.
    static let sliceByteBound = 256 << 10
    /// A PUSHB of at the most so many jobs, and of at the most ``sliceByteBound`` bytes, is carried out at once.
    static let promptCount = 1_000

    private var bytes: [UInt8]
    private var parser = JobArrayParser()
    /// What was checked, each slice for itself; those that were taken are gone.
    private var slices: [[JobArray.Element]] = []
    private var nextSlice = 0
    /// How many elements were taken before this leader began, and are passed over.
    private var passedCount: Int
    /// The names under which something was refused: each has one member in the answer.
    private var refusedIDs: Set<String> = []

    init(_ bytes: [UInt8], passing passedCount: Int = 0) {
        self.bytes = bytes
        self.passedCount = passedCount
    }

    /// Begins with elements that were checked already.
    init(checked elements: [JobArray.Element]) {
        self.bytes = []
        self.passedCount = 0
        self.parser = JobArrayParser.finished
        for start in stride(from: 0, to: elements.count, by: JobManager.sliceBound) {
            self.slices.append(Array(elements[start..<min(start + JobManager.sliceBound, elements.count)]))
        }
    }

    /// Whether all of it was checked.
    var isChecked: Bool { self.parser.isFinished }

    /// Whether every job was taken or refused.
    var isTaken: Bool { self.isChecked && self.nextSlice >= self.slices.count }

    /// Checks one slice more.
    func check() throws(JobRejection) {
        var elements = try self.bytes.withUnsafeBufferPointer { (bytes) throws(JobRejection) in
            try self.parser.next(of: bytes, count: JobManager.sliceBound, byteCount: Self.sliceByteBound)
        }
        if self.parser.isFinished { self.bytes = [] }
        let passed = min(self.passedCount, elements.count)
        self.passedCount -= passed
        elements.removeFirst(passed)
        if !elements.isEmpty { self.slices.append(elements) }
    }

    /// The elements whose turn it is, which stay until the next ones are asked for; empty when there are none.
    func takeSlice() -> [JobArray.Element] {
        if self.nextSlice > 0 { self.slices[self.nextSlice - 1] = [] }
        guard self.nextSlice < self.slices.count else { return [] }
        self.nextSlice += 1
        return self.slices[self.nextSlice - 1]
    }

    /// The member of the answer that says why an element was refused; nil when its name has one.
    func member(refusing id: String, because text: String) -> [UInt8]? {
        guard self.refusedIDs.insert(id).inserted else { return nil }
        var member: [UInt8] = []
        JSONText.appendQuoted(id, to: &member)
        member.append(UInt8(ascii: ":"))
        // A code is told, unless it is the one that says nothing.
        JSONText.appendQuoted(text.hasPrefix("ERR ") ? String(text.dropFirst(4)) : text, to: &member)
        return member
    }

    /// The answer, given the members that were refused.
    static func answer(refusing members: [UInt8]) -> LinkReply {
        .bulk([UInt8(ascii: "{")] + members + [UInt8(ascii: "}")])
    }

    /// The answer when neither the elements whose turn it is nor those behind them can be taken.
    func answer(refusing refused: [UInt8], andTheRestBecause text: String) -> LinkReply {
        var members = refused
        for element in self.slices.dropFirst(max(0, self.nextSlice - 1)).joined() {
            guard let member = self.member(refusing: element.id, because: text) else { continue }
            if !members.isEmpty { members.append(UInt8(ascii: ",")) }
            members += member
        }
        return Self.answer(refusing: members)
    }
}
