import JobCore
import JobStorage

extension StorageTransaction {
    /// A turn of a leader that does what the closure writes down.
    static func turn(_ sequence: UInt64, _ fill: (inout StorageTransaction) -> Void = { _ in }) -> StorageTransaction {
        let position = Position(epoch: Epoch(1), sequence: sequence)
        var transaction = StorageTransaction(position: position, lastToken: sequence, day: "2026-03-01")
        fill(&transaction)
        return transaction
    }
}

extension StorageError {
    /// The text of a refusal.
    var refusal: String? {
        guard case .refused(let text) = self else { return nil }
        return text
    }

    var isIncompatible: Bool {
        guard case .incompatible = self else { return false }
        return true
    }
}
