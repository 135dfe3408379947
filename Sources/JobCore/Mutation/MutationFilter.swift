/// Which jobs of a set a mutation means.
package struct MutationFilter: Equatable, Sendable {
    /// The names of the jobs; when there are any, nothing else counts.
    package let ids: JobIDList
    /// A pattern for the whole payload as ``Job/upstreamRendering`` writes it.
    package let pattern: Glob?
    /// The exact type of the jobs.
    package let type: String?

    package init(ids: JobIDList = [], pattern: Glob? = nil, type: String? = nil) {
        self.ids = ids
        self.pattern = pattern
        self.type = type
    }

    /// Whether the job is one of those meant; a filter that asks for nothing means all.
    package func matches(_ job: Job) -> Bool {
        guard self.ids.isEmpty else { return self.ids.contains(job.id) }
        if let type = self.type, type != job.type { return false }
        return self.pattern?.matches(job.upstreamRendering) ?? true
    }
}
