import Bytes

/// Just enough JSON for the vectors: keys keep their order, so that the files are the same bytes every time.
enum JSONText {
    case text(String)
    case number(UInt64)
    case signed(Int64)
    case bool(Bool)
    case none
    case list([JSONText])
    case object([(String, JSONText)])

    /// One line for small values, one line a key for objects.
    func lines(indent: String = "") -> String {
        switch self {
        case .text(let text): return Self.quoted(text)
        case .number(let value): return "\(value)"
        case .signed(let value): return "\(value)"
        case .bool(let value): return "\(value)"
        case .none: return "null"
        case .list(let values):
            return "[" + values.map { $0.lines(indent: indent) }.joined(separator: ", ") + "]"
        case .object(let members):
            let inner = indent + "  "
            let lines = members.map { inner + Self.quoted($0.0) + ": " + $0.1.lines(indent: inner) }
            return "{\n" + lines.joined(separator: ",\n") + "\n" + indent + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            precondition(scalar.value >= 0x20, "the vectors' texts have no control characters")
            if scalar == "\"" || scalar == "\\" { quoted += "\\" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}

extension Message {
    /// The fields by name, as protocol/frames.md §4 names them. Bytes are hexadecimal text.
    var json: JSONText {
        switch self {
        case .hello(let hello):
            .object([
                ("token", .text(hello.token)), ("sdk_name", .text(hello.sdkName)),
                ("sdk_version", .text(hello.sdkVersion)), ("features", .number(hello.features)),
                ("clock", .signed(hello.clockMicros)),
            ])
        case .helloAcknowledgement(let message): message.json
        case .open(let open):
            .object([
                ("project", .text(open.project)), ("source", .text(open.source.description)),
                ("kind", .number(open.kind.rawValue)), ("acked", .number(open.acked)),
                ("lineage", open.lineageLastSeen.map { .text(Hex.encode($0)) } ?? .none),
            ])
        case .opened(let opened):
            .object([
                ("lineage", .text(Hex.encode(opened.lineage))), ("totals", opened.totals.json),
                ("fingerprints", .list(opened.fingerprints.map {
                    .list([.number($0.base), .number($0.count), .text(Hex.encode($0.fingerprint))])
                })),
            ])
        case .batch(let batch):
            .object([
                ("clock_offset", .signed(batch.clockOffsetMicros)), ("batch", .text(Hex.encode(batch.batch.copy()))),
                ("fingerprint", .text(Hex.encode(batch.fingerprint))),
            ])
        case .acknowledgement(let message):
            .object([
                ("totals", message.totals.json),
                ("verdicts", .list(message.verdicts.map {
                    .list([.number($0.sequence), .number($0.count), .number($0.code.rawValue)])
                })),
            ])
        case .negativeAcknowledgement(let message):
            .object([
                ("code", .number(message.code.rawValue)), ("retry", .number(message.retry.rawValue)),
                ("after", .number(message.afterMilliseconds)), ("detail", .text(message.detail)),
            ])
        case .skip(let skip): .object([("reason", .number(skip.reason.rawValue)), ("count", .number(skip.count))])
        case .close(let close): .object([("acked", .number(close.acked)), ("final", .number(close.final ? 1 : 0))])
        case .goAway(let message):
            .object([
                ("reason", .number(message.reason.rawValue)),
                ("reconnect_after", .number(message.reconnectAfterMilliseconds)),
            ])
        case .error(let error): .object([("code", .number(error.code.rawValue)), ("detail", .text(error.detail))])
        case .admin(let request): .object([("verb", .text(request.verb)), ("argument", .text(request.argument))])
        case .adminReply(let reply):
            .object([("status", .number(reply.status.rawValue)), ("result", .text(reply.result))])
        case .ping(let ping): .object([("clock", .signed(ping.clockMicros))])
        case .pong(let pong): .object([("clock", .signed(pong.clockMicros))])
        }
    }
}

extension HelloAcknowledgement {
    fileprivate var json: JSONText {
        .object([
            ("role", .number(role.rawValue)), ("project", .text(project)),
            ("frame_bytes_max", .number(UInt64(limits.frameBytesMax))),
            ("batch_events_max", .number(UInt64(limits.batchEventsMax))),
            ("batch_decoded_bytes_max", .number(UInt64(limits.batchDecodedBytesMax))),
            ("batch_strings_max", .number(UInt64(limits.batchStringsMax))),
            ("batch_columns_max", .number(UInt64(limits.batchColumnsMax))),
            ("unacked_batches_max", .number(UInt64(limits.unackedBatchesMax))),
            ("keepalive_seconds", .number(UInt64(limits.keepaliveSeconds))),
            ("clock", .signed(clockMicros)), ("features", .number(features)),
        ])
    }
}

extension SourceTotals {
    fileprivate var json: JSONText { .list(values.map { .number($0) }) }
}
