import ClusterLink
import JobCore

extension MessageToLeader {
    static let session = SessionID(high: 0x0102_0304_0506_0708, low: 0x1112_1314_1516_1718)

    /// One message of every kind, and of every shape that a command can have.
    static let samples: [Sample<MessageToLeader>] =
        [
            Sample("attach", .attach(Self.introduction(isNew: true))),
            Sample("attach-known", .attach(Self.introduction(isNew: false))),
            Sample(
                "heartbeat",
                .heartbeat(
                    Self.session,
                    FrontStatistics(connectionCount: 7, commandCount: 1 << 40, residentKilobytes: 9)
                )
            ),
            Sample("detach", .detach(Self.session)),
            Sample("tick", .tick(.reap, number: 300)),
            Sample("batch-empty", Self.batch([])),
            Sample("batch-two", Self.batch([LinkCommand(request: 8, .info), LinkCommand(request: 9, .flush)])),
        ] + LinkCommand.samples.map { Sample("command-\($0.name)", Self.batch([LinkCommand(request: 41, $0.message)])) }

    static func batch(_ commands: [LinkCommand]) -> MessageToLeader {
        .batch(
            CommandBatch(
                lane: LaneKey(session: Self.session, lane: 0x2122),
                number: 0x31,
                settled: 0x41,
                commands: commands
            )
        )
    }

    private static func introduction(isNew: Bool) -> FrontIntroduction {
        FrontIntroduction(session: Self.session, name: "front-1", software: "millrace/0.1.0", isNew: isNew)
    }
}

extension LinkCommand {
    static let samples: [Sample<Body>] = [
        Sample("push", .push(job: Array(#"{"jid":"12345678"}"#.utf8))),
        Sample("push-bulk", .pushBulk(jobs: Array("[]".utf8))),
        Sample("fetch", .fetch(worker: "w1", queues: ["critical", "default"], waitMilliseconds: 1_900)),
        Sample("fetch-nothing", .fetch(worker: "", queues: [], waitMilliseconds: 0)),
        Sample("withdraw", .withdraw),
        Sample("acknowledge", .acknowledge(jobID: "12345678")),
        Sample("fail", .fail(jobID: "12345678", errorType: "Boom", message: "é", backtrace: ["a:1", "b:2"])),
        Sample("beat", .beat(worker: "w1", state: "quiet", residentKilobytes: 54_176)),
        Sample("info", .info),
        Sample("flush", .flush),
        Sample("queue-pause-all", .queue(.pause, names: .all)),
        Sample("queue-resume", .queue(.resume, names: .named(["default"]))),
        Sample("queue-remove", .queue(.remove, names: .named([]))),
        Sample("latency", .latency(queues: ["default", "mail"])),
        Sample("mutate", .mutate(MutationRequest(operation: "kill", target: "retries", filter: nil))),
        Sample(
            "mutate-filtered",
            .mutate(
                MutationRequest(
                    operation: "requeue",
                    target: "dead",
                    filter: MutationRequest.Filter(jobIDs: ["12345678"], pattern: "*x*", jobType: "Mail")
                )
            )
        ),
        Sample(
            "mutate-empty-filter",
            .mutate(
                MutationRequest(
                    operation: "discard",
                    target: "scheduled",
                    filter: MutationRequest.Filter(jobIDs: [], pattern: nil, jobType: nil)
                )
            )
        ),
        Sample(
            "worker-joined",
            .workerJoined(
                WorkerIntroduction(
                    worker: "w1",
                    hostname: "host",
                    processID: -2,
                    labels: ["ruby", "blue"],
                    residentKilobytes: 5
                )
            )
        ),
        Sample("worker-left", .workerLeft(worker: "w1")),
    ]
}
