import JSON
import Parquet
import Zones

// The actions that Tidemark writes: Delta transaction protocol, sections "Actions" and "Per-file Statistics".

enum DeltaAction {
    static let protocolVersion: JSONValue = ["protocol": ["minReaderVersion": 1, "minWriterVersion": 2]]

    /// - Parameter id: a UUID's text.
    static func metaData(
        id: String, schema: ParquetSchema, isPartitionedByDate: Bool, configuration: [(String, String)],
        createdMillis: Int64
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

    /// The statistics tell the row count only: some readers take a column without bounds, where others have them, for
    /// one of nulls, and 40 columns' bounds would fill the log. What we need ourselves stands in tags.
    static func add(_ file: DataFile, modifiedMillis: Int64) -> JSONValue {
        var partition: [JSONObject.Member] = []
        if let day = file.day { partition.append(.init("date", .string(CivilDate(daysSinceEpoch: day).description))) }
        let statistics: JSONValue = ["numRecords": .integer(Int64(file.rowCount))]
        var add: JSONObject = JSONObject([
            .init("path", .string(file.path)),
            .init("partitionValues", .object(JSONObject(partition))),
            .init("size", .integer(Int64(file.byteCount))),
            .init("modificationTime", .integer(modifiedMillis)),
            .init("dataChange", true),
            .init("stats", .string(statistics.description)),
        ])
        if let bounds = file.bounds {
            add["tags"] = [
                BoundsTag.userKey: .string(BoundsTag.text(bounds.userKey)),
                BoundsTag.timestamp: .string(BoundsTag.text(bounds.timestampMicros)),
                BoundsTag.position: .string(BoundsTag.text(bounds.position)),
            ]
        }
        return ["add": .object(add)]
    }
}

/// How an `add` action carries the bounds of a sort column: a tag of two decimal numbers, `<least> <greatest>`.
private enum BoundsTag {
    static let userKey = "tidemark.user_key"
    static let timestamp = "tidemark.timestamp"
    static let position = "tidemark.position"

    static func text(_ range: ClosedRange<Int64>) -> String { "\(range.lowerBound) \(range.upperBound)" }

    static func range(_ tag: JSONValue?) -> ClosedRange<Int64>? {
        guard let numbers = tag?.asString?.split(separator: " ").map({ Int64($0) }), numbers.count == 2,
            let least = numbers[0], let greatest = numbers[1], least <= greatest
        else { return nil }
        return least...greatest
    }
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
        let tags = fields["tags"]
        guard let userKey = BoundsTag.range(tags?[BoundsTag.userKey]),
            let timestamp = BoundsTag.range(tags?[BoundsTag.timestamp]),
            let position = BoundsTag.range(tags?[BoundsTag.position])
        else { return }
        bounds = Bounds(userKey: userKey, timestampMicros: timestamp, position: position)
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
