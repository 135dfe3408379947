package import JobCore

extension JobStoreReader {
    /// The records of the first of these jobs: as many as have room in so many bytes, and one at least.
    ///
    /// A job may have a payload of a hundred bytes or of eight mebibytes, and nothing but its record says which. The
    /// sizes are asked first, which costs little; then one read brings what fits. So no read holds the store or its
    /// reader for longer than the budget, or one job, takes.
    ///
    /// - Parameter largest: how many bytes no payload among them exceeds, if that is known. When all have room, no sizes are
    ///   asked.
    /// - Returns: the records in the order of the jobs, and beside them the bytes that they took.
    package func records(
        of jobs: [JobID],
        byteBudget: Int,
        largest: Int? = nil
    ) throws(StorageError) -> (records: [JobRecord], byteCount: Int) {
        let haveRoom =
            largest.map { $0.multipliedReportingOverflow(by: jobs.count) }
            .map { !$0.overflow && $0.partialValue <= byteBudget } ?? false
        guard jobs.count > 1, !haveRoom else {
            let records = try self.records(of: jobs)
            return (records, records.reduce(0) { $0 + $1.payloadByteCount })
        }
        let byteCounts = try self.recordByteCounts(of: jobs)
        var fittingCount = 0
        var byteCount = 0
        while fittingCount < jobs.count,
            fittingCount == 0 || byteCount + byteCounts[fittingCount] <= byteBudget
        {
            byteCount += byteCounts[fittingCount]
            fittingCount += 1
        }
        return (try self.records(of: Array(jobs.prefix(fittingCount))), byteCount)
    }
}

extension JobRecord {
    /// Bytes of the payload, as far as there is one.
    package var payloadByteCount: Int {
        switch self {
        case .job(let stored): stored.payload.count
        case .corrupt(let bytes): bytes.count
        case .missing: 0
        }
    }
}
