import JobCore
import Testing

@Suite("Bulk pushes")
struct JobArrayTests {
    private static func parse(_ text: String) throws(JobRejection) -> JobArray {
        try JobArray(parsing: Array(text.utf8))
    }

    @Test("jobs come in their order, each with its own verdict and its jid as far as it can be read")
    func elements() throws {
        let text = """
            [ {"jid":"order-000001","jobtype":"A","args":[1]} ,null,{"jid":"short","jobtype":"A","args":[]},
            {"JID":"order-000002","args":[]},{"jid":"order-000003","jobType":"A","args":[{"jid":"x"}],"queue":"a b"},
            {}, {"jid":"order-000004","jobtype":"A","args":[],"retry":0,"queue":"q"}]
            """
        let elements = try Self.parse(text).elements
        #expect(
            elements.map(\.id)
                == ["order-000001", "", "short", "order-000002", "order-000003", "", "order-000004"]
        )
        let verdicts = elements.map { element in
            switch element.job {
            case .success(let job): job.text
            case .failure(let rejection): rejection.message
            }
        }
        #expect(
            verdicts == [
                #"{"jid":"order-000001","jobtype":"A","args":[1],"retry":25,"queue":"default"}"#,
                "jobs must have a reasonable jid parameter",
                "jobs must have a reasonable jid parameter",
                "jobs must have a jobtype parameter",
                #"cannot get "a b" queue: queue names must match \A[a-zA-Z0-9._-]+\z"#,
                "jobs must have a reasonable jid parameter",
                #"{"jid":"order-000004","jobtype":"A","args":[],"retry":0,"queue":"q"}"#,
            ]
        )
    }

    @Test("taken apart in pieces of any size, they are the same", arguments: [1, 2, 3, 17, 100, 4_096])
    func pieces(size: Int) throws {
        let jobs = (0..<20).map { number in
            switch number % 4 {
            case 0: "{}"
            case 1: "null"
            default: #" {"jid":"order-00000\#(number)","jobtype":"A","args":[\#(number)]} "#
            }
        }
        let text = Array((" [" + jobs.joined(separator: ",\n") + "] ").utf8)
        let whole = try JobArray(parsing: text).elements
        for (count, byteCount) in [(size, Int.max), (.max, size)] {
            var parser = JobArrayParser()
            var elements: [JobArray.Element] = []
            var pieceCount = 0
            while !parser.isFinished {
                let piece = try text.withUnsafeBufferPointer { (bytes) throws(JobRejection) in
                    try parser.next(of: bytes, count: count, byteCount: byteCount)
                }
                #expect(piece.count <= count)
                elements += piece
                pieceCount += 1
                try #require(pieceCount <= text.count)
            }
            #expect(elements.map(\.id) == whole.map(\.id))
            #expect(elements.map { try? $0.job.get().payload } == whole.map { try? $0.job.get().payload })
        }
    }

    @Test("what is wrong with the whole is told at the end, and a text that is no JSON before a value of a wrong type")
    func order() {
        let mismatch = "json: cannot unmarshal string into Go struct field Job.retry of type int"
        for (text, message) in [
            (#"[{"retry":"x"},{}]"#, mismatch),
            (#"[{"retry":"x"},{"jid":1},{}]"#, mismatch),
            (#"[{"retry":"x"},{]"#, "invalid character ']' looking for beginning of object key string"),
        ] {
            let bytes = Array(text.utf8)
            var parser = JobArrayParser()
            #expect(throws: JobRejection.invalidJSON(message)) {
                while !parser.isFinished {
                    _ = try bytes.withUnsafeBufferPointer { (bytes) throws(JobRejection) in
                        try parser.next(of: bytes, count: 1, byteCount: 1)
                    }
                }
            }
        }
    }

    @Test("null and an empty array are no jobs", arguments: ["null", " [] ", "[ ]"])
    func none(text: String) throws {
        #expect(try Self.parse(text).elements.isEmpty)
    }

    @Test(
        "what is no array of jobs is rejected as a whole",
        arguments: [
            ("", "unexpected end of JSON input"),
            ("[", "unexpected end of JSON input"),
            ("[{}", "unexpected end of JSON input"),
            ("[{}] x", "invalid character 'x' after top-level value"),
            ("null x", "invalid character 'x' after top-level value"),
            ("[{},]", "invalid character ']' looking for beginning of value"),
            ("{}", "json: cannot unmarshal object into Go value of type []*client.Job"),
            ("[1]", "json: cannot unmarshal number into Go value of type client.Job"),
            (
                "[\(payload()),{\"retry\":\"x\"}]",
                "json: cannot unmarshal string into Go struct field Job.retry of type int"
            ),
        ]
    )
    func wholeRejections(text: String, reason: String) {
        #expect(throws: JobRejection.invalidJSON(reason)) { try Self.parse(text) }
    }

    @Test("a hundred thousand jobs are taken, and one more is not")
    func countBound() throws {
        func array(_ count: Int) -> [UInt8] {
            Array(("[" + repeatElement("{}", count: count).joined(separator: ",") + "]").utf8)
        }
        #expect(try JobArray(parsing: array(JobArray.maximumCount)).elements.count == 100_000)
        let rejection = #expect(throws: JobRejection.tooManyJobs(limit: 100_000)) {
            try JobArray(parsing: array(JobArray.maximumCount + 1))
        }
        #expect(rejection?.message == "cannot push more than 100000 jobs at once")
    }

    @Test("a job in an array is the same as when it comes alone", arguments: UInt64(1)...20)
    func sameAsAlone(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let texts = (0..<20).map { _ in OddJob.payload(using: &generator) }
        let elements = try Self.parse("[" + texts.joined(separator: ",") + "]").elements
        try #require(elements.count == texts.count)
        for (element, text) in zip(elements, texts) {
            let alone = try Job(text)
            let job = try element.job.get()
            #expect(element.id == alone.id.text, "seed \(seed): \(text)")
            #expect(job.payload == alone.payload, "seed \(seed): \(text)")
            #expect(job.arguments == alone.arguments, "seed \(seed): \(text)")
        }
    }
}
