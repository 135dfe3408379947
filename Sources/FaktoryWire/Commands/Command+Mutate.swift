import JobCore

extension Command {
    /// Understands the argument of MUTATE, in which spaces are welcome, unlike upstream.
    static func mutate(_ argument: UnsafeBufferPointer<UInt8>?) -> Command {
        guard let argument else { return .rejected("invalid format") }
        do throws(MutationMistake) {
            return .mutate(try self.mutation(argument))
        } catch {
            return .rejected(EchoedText(error.message).description)
        }
    }

    private struct MutationMistake: Error {
        let message: String

        init(_ message: String) {
            self.message = message
        }

        static func mismatch(_ value: JSONValue, _ path: String, _ type: String) -> MutationMistake {
            MutationMistake("json: cannot unmarshal \(value.kind.name) into Go \(path) of type \(type)")
        }
    }

    private static func mutation(_ argument: UnsafeBufferPointer<UInt8>) throws(MutationMistake) -> Mutation {
        let document: JSONValue
        let names: JobIDList
        do throws(JSONError) {
            var walk = NamedJobsWalk(argument)
            try walk.run()
            names = walk.names
            document = try JSONValue(parsing: walk.rest)
        } catch {
            throw MutationMistake(error.message)
        }
        guard document.kind == .object || document == .null else {
            throw .mismatch(document, "value", "client.Operation")
        }
        let operation = try self.text("cmd", of: document)
        let target = try self.text("target", of: document)
        let filter = try self.filter(of: document, naming: names)
        guard let operation = operation.flatMap({ Mutation.Operation(rawValue: $0) }) else {
            throw MutationMistake("unknown mutate operation")
        }
        guard let target = target.flatMap({ Mutation.Target(rawValue: $0) }) else {
            throw MutationMistake("invalid target for mutation command")
        }
        return Mutation(operation: operation, target: target, filter: filter)
    }

    private static func filter(
        of document: JSONValue,
        naming names: JobIDList
    ) throws(MutationMistake) -> MutationFilter? {
        guard let filter = document.field("filter") else { return nil }
        guard filter.kind == .object else {
            throw .mismatch(filter, "struct field Operation.filter", "client.JobFilter")
        }
        let ids = filter.field("jids")
        if let ids, ids.strings == nil { throw .mismatch(ids, "struct field JobFilter.filter.jids", "[]string") }
        let type = try self.text("jobtype", of: filter)
        let pattern = try self.text("regexp", of: filter)
        guard let pattern, !pattern.isEmpty else {
            return self.filter(ids: ids == nil ? [] : names, pattern: nil, type: type)
        }
        guard let glob = Glob(pattern) else {
            throw MutationMistake("regexp is longer than \(Glob.maximumByteCount) bytes")
        }
        return self.filter(ids: ids == nil ? [] : names, pattern: glob, type: type)
    }

    private static func filter(ids: JobIDList, pattern: Glob?, type: String?) -> MutationFilter {
        MutationFilter(ids: ids, pattern: pattern, type: type.flatMap { $0.isEmpty ? nil : $0 })
    }

    private static func text(_ key: String, of document: JSONValue) throws(MutationMistake) -> String? {
        guard let value = document.field(key) else { return nil }
        guard let text = value.string else { throw .mismatch(value, "struct field Operation.\(key)", "string") }
        return text
    }
}
