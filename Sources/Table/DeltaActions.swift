import JSON
import Parquet
import Zones

// The actions that Tidemark writes: Delta transaction protocol, sections "Actions" and "Per-file Statistics".

enum DeltaAction {
    static let protocolVersion: JSONValue = ["protocol": ["minReaderVersion": 1, "minWriterVersion": 2]]

    /// - Parameter id: a UUID's text.
    static func metaData(
        id: String, schema: ParquetSchema, isPartitionedByDate: Bool, configuration: [(String, String)], createdMillis: Int64
    ) -> JSONValue {
        var fields = schema.columns.map { field($0.name, $0.type.deltaName, isOptional: $0.isOptional) }
        if isPartitionedByDate { fields.insert(field("date", "date", isOptional: false), at: 0) }
        let structure: JSONValue = ["type": "struct", "fields": .array(fields)]
        return [
            "metaData": [
                "id": .string(id),
                "format": ["provider": "parquet", "options": [:]],
                "schemaString": .string(structure.description),
                "partitionColumns": isPartitionedByDate ? ["date"] : [],
                "configuration": .object(JSONObject(configuration.map { .init($0.0, .string($0.1)) })),
                "createdTime": .integer(createdMillis),
            ]
        ]
    }

    private static func field(_ name: String, _ type: String, isOptional: Bool) -> JSONValue {
        ["name": .string(name), "type": .string(type), "nullable": .bool(isOptional), "metadata": [:]]
    }

    static func transaction(_ app: String, _ version: UInt64, lastUpdatedMillis: Int64) -> JSONValue {
        [
            "txn": [
                "appId": .string(app), "version": .integer(Int64(version)), "lastUpdated": .integer(lastUpdatedMillis),
            ]
        ]
    }

    static func commitInfo(_ operation: String, timestampMillis: Int64) -> JSONValue {
        [
            "commitInfo": [
                "timestamp": .integer(timestampMillis), "operation": .string(operation), "engineInfo": "tidemark",
            ]
        ]
    }

    static func add(_ file: DataFile, modifiedMillis: Int64) -> JSONValue {
        var partition: [JSONObject.Member] = []
        if let day = file.day { partition.append(.init("date", .string(CivilDate(daysSinceEpoch: day).description))) }
        return [
            "add": [
                "path": .string(file.path),
                "partitionValues": .object(JSONObject(partition)),
                "size": .integer(Int64(file.byteCount)),
                "modificationTime": .integer(modifiedMillis),
                "dataChange": true,
                "stats": .string(statistics(file).description),
            ]
        ]
    }

    private static func statistics(_ file: DataFile) -> JSONValue {
        var members: [JSONObject.Member] = [.init("numRecords", .integer(Int64(file.rowCount)))]
        if let bounds = file.bounds {
            members.append(.init("minValues", bound(bounds, { $0.lowerBound }, roundingUp: false)))
            members.append(.init("maxValues", bound(bounds, { $0.upperBound }, roundingUp: true)))
            members.append(.init("nullCount", ["user_key": 0, "timestamp": 0, "position": 0]))
        }
        return .object(JSONObject(members))
    }

    /// Statistics hold timestamps in milliseconds, so the bounds are rounded outwards.
    private static func bound(
        _ bounds: DataFile.Bounds, _ end: (ClosedRange<Int64>) -> Int64, roundingUp: Bool
    ) -> JSONValue {
        let micros = end(bounds.timestampMicros) + (roundingUp ? 999 : 0)
        let millis = micros.flooredQuotient(by: 1000)
        return [
            "user_key": .integer(end(bounds.userKey)),
            "timestamp": .string(statisticsText(millis: millis)),
            "position": .integer(end(bounds.position)),
        ]
    }
}

/// `YYYY-MM-DDThh:mm:ss.mmmZ`.
private func statisticsText(millis: Int64) -> String {
    let text = ISO8601.format(micros: millis * 1000)
    return text.hasSuffix("000Z") ? text.dropLast(4) + "Z" : text
}

private func statisticsMicros(_ text: String) -> Int64? {
    guard case .instant(let micros) = ISO8601.moment(text, in: .utc) else { return nil }
    return micros
}

extension DataFile {
    /// Reads an `add` action; nil if it lacks what every writer must put there.
    init?(add: JSONValue) {
        guard let fields = add.asObject, let path = fields["path"]?.asString, let size = fields["size"]?.asInteger,
            let byteCount = Int(exactly: size)
        else { return nil }
        self.path = path
        self.byteCount = byteCount
        day = fields["partitionValues"]?.asObject?["date"]?.asString
            .flatMap(ISO8601.date).map(\.daysSinceEpoch)
        let statistics = fields["stats"]?.asString.flatMap { try? JSONValue(parsing: $0) }?.asObject
        rowCount = Int(statistics?["numRecords"]?.asInteger ?? 0)
        let least = statistics?["minValues"]?.asObject
        let greatest = statistics?["maxValues"]?.asObject
        guard let keyMin = least?["user_key"]?.asInteger, let keyMax = greatest?["user_key"]?.asInteger,
            let positionMin = least?["position"]?.asInteger, let positionMax = greatest?["position"]?.asInteger,
            let timeMin = least?["timestamp"]?.asString.flatMap(statisticsMicros),
            let timeMax = greatest?["timestamp"]?.asString.flatMap(statisticsMicros),
            keyMin <= keyMax, positionMin <= positionMax, timeMin <= timeMax
        else { return }
        bounds = Bounds(
            userKey: keyMin...keyMax, timestampMicros: timeMin...timeMax, position: positionMin...positionMax)
    }
}

extension ParquetType {
    fileprivate var deltaName: String {
        switch self {
        case .int64: "long"
        case .timestampMicros: "timestamp"
        case .int32: "integer"
        case .date: "date"
        case .double: "double"
        case .bool: "boolean"
        case .string: "string"
        case .fixed: "binary"
        }
    }
}
