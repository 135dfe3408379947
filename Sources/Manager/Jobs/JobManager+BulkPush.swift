import ClusterLink
import JobCore
import JobStorage

extension JobManager {
    /// Carries out a PUSHB: a short one at once, any other in slices and answered as a whole.
    func pushBulk(_ bytes: [UInt8], _ request: UInt64, on lane: Lane) -> LinkReply {
        guard !self.mustBeSliced(bytes.count), lane.longCommands[request] == nil else {
            return self.pushInSlices(request, on: lane, byteCount: bytes.count) { command in
                BulkPush(bytes, passing: command.doneCount)
            }
        }
        let elements: [JobArray.Element]
        do {
            elements = try JobArray(parsing: bytes).elements
        } catch {
            return .error("ERR \(error.message)")
        }
        // A front lets nothing of a connection pass a PUSHB that is longer than this.
        let maySlice = bytes.count > LinkBound.promptBulkByteCount && self.tasks.hasRoom
        guard elements.count <= BulkPush.promptCount || !maySlice else {
            return self.pushInSlices(request, on: lane, byteCount: bytes.count) { _ in BulkPush(checked: elements) }
        }
        self.promptByteCount += bytes.count
        return self.push(elements)
    }

    /// Many that are short of the bound in one turn would hold up the others as one does that is beyond it.
    ///
    /// Where no more tasks may wait, others have to: jobs are not refused for that.
    private func mustBeSliced(_ byteCount: Int) -> Bool {
        guard byteCount > LinkBound.promptBulkByteCount, self.tasks.hasRoom else { return false }
        return self.promptByteCount + byteCount > BulkPush.sliceByteBound
    }

    private func pushInSlices(
        _ request: UInt64,
        on lane: Lane,
        byteCount: Int,
        _ make: (LongCommand) -> BulkPush
    ) -> LinkReply {
        self.takeUp(request, on: lane, byteCount: byteCount) { command, asker in .pushBulk(make(command), asker) }
    }

    private func push(_ elements: [JobArray.Element]) -> LinkReply {
        self.prepare(for: elements)
        var refused: [String: String] = [:]
        for element in elements {
            do {
                try self.takeIn(try element.job.get())
            } catch {
                let text = self.replyText(of: error)
                // A code is told, unless it is the one that says nothing.
                refused[element.id] = text.hasPrefix("ERR ") ? String(text.dropFirst(4)) : text
            }
        }
        let members = refused.sorted { $0.key < $1.key }.map {
            JSONValue.Member(key: $0.key, value: .string($0.value))
        }
        return .bulk(JSONValue.object(members).encoded)
    }

    /// One slice of a PUSHB.
    func go(on push: BulkPush, for asker: TaskBoard.Asker) throws(StorageError) {
        guard push.isChecked else {
            do throws(JobRejection) {
                try push.check()
                return self.tasks.add(.pushBulk(push, asker))
            } catch {
                return self.finish(asker, with: .error("ERR \(error.message)"))
            }
        }
        let elements = push.takeSlice()
        try self.take(elements, of: push, for: asker)
        guard push.isTaken else { return self.tasks.add(.pushBulk(push, asker)) }
        self.finish(asker, with: BulkPush.answer(refusing: self.refused(by: asker)))
    }

    private func take(
        _ elements: [JobArray.Element],
        of push: BulkPush,
        for asker: TaskBoard.Asker
    ) throws(StorageError) {
        self.prepare(for: elements)
        var members: [UInt8] = []
        for element in elements {
            do {
                try self.takeIn(try element.job.get())
            } catch let error as StorageError {
                throw error
            } catch {
                let text = self.replyText(of: error)
                guard let member = push.member(refusing: element.id, because: text) else { continue }
                if !members.isEmpty { members.append(UInt8(ascii: ",")) }
                members += member
            }
        }
        self.note(asker, refusing: members) { $0.doneCount += elements.count }
    }
}
