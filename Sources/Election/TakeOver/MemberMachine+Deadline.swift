package import JobCore

extension MemberMachine {
    /// When the machine wants to hear a `tick` if nothing happens before; it may be earlier than needed, or past.
    package var nextDeadline: Uptime {
        var next = self.pollAt
        if let campaignAt { next = min(next, campaignAt) }
        if let bidAskedAt { next = min(next, bidAskedAt + self.terms.bidBound) }
        if let silentAt { next = min(next, max(silentAt, self.suspicionAt)) }
        if let operation {
            next = min(next, operation.deadline)
        } else if self.wanted != nil, self.storing == nil, self.isRedisUp {
            next = min(next, self.operationRetryAt)
        }
        if let tenure { next = min(next, self.deadline(of: tenure)) }
        guard self.isRedisUp, self.needsInspection else { return next }
        if let inspection { return min(next, inspection.askedAt + self.terms.redisBound) }
        return self.operation == nil ? min(next, self.inspectionAt) : next
    }

    private func deadline(of tenure: Tenure) -> Uptime {
        var next = min(tenure.trustedUntil, min(tenure.renewalAt, tenure.heartbeatAt))
        if let stageDeadline = tenure.stageDeadline { next = min(next, stageDeadline) }
        if let since = tenure.unconfirmedSince { next = min(next, since + self.terms.confirmationBound) }
        if let since = tenure.shortSince { next = min(next, since + self.terms.confirmationBound) }
        switch tenure.stage {
        case .cutting(let canvass):
            // Only as long as something follows from it; what else may follow comes with an answer.
            let decidesAt = canvass.majorityAt ?? (self.heir(among: canvass) == nil ? nil : canvass.cutAt)
            if let decidesAt { next = min(next, decidesAt + tenure.laggardGrace) }
            if canvass.hasAnswer(of: self.id) { next = min(next, tenure.retryAt) }
        case .founding, .publishing, .marking: next = min(next, tenure.retryAt)
        case .settling, .promoting, .serving, .pausing: break
        }
        return next
    }
}
