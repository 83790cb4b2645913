import Bytes

extension PlanJudgement {
    /// The batch as it is kept: without the stripped values, and without the strings that only they named.
    ///
    /// Columns of kinds this version does not know go too: what they say of the strings nobody can tell. In canonical
    /// form (protocol/batch.md §11), compressed if it came compressed. O(strings + values).
    /// - Parameter codec: the codec it came in.
    /// - Returns: nil if nothing is stripped.
    public func rewritten(_ batch: Batch, codec: BatchHeader.Codec) throws(BatchError) -> [UInt8]? {
        guard !stripped.isEmpty else { return nil }
        var encoder = BatchEncoder(codec: codec == .zstd ? .zstd(level: 1) : .raw)
        return try encoder.encode(BatchBuilder(batch, without: stripped))
    }
}

extension BatchBuilder {
    /// The events of a decoded batch, ready to be encoded again.
    /// - Parameter values: by value column, the rows whose values are left out.
    fileprivate init(_ batch: Batch, without values: [Int: Bitmap]) {
        self.init()
        var known = [UInt32](repeating: Batch.none, count: batch.strings.count)
        func intern(_ string: UInt32) -> UInt32 {
            if string == Batch.none { return string }
            if known[Int(string)] == Batch.none {
                known[Int(string)] = strings.intern(batch.strings.span(Int(string)))
            }
            return known[Int(string)]
        }
        let none = [UInt32](repeating: Batch.none, count: batch.eventCount)
        types = batch.types.map { intern($0) }
        userIDs = batch.userIDs?.map { intern($0) } ?? none
        anonymousIDs = batch.anonymousIDs?.map { intern($0) } ?? none
        sessionIDs = batch.sessionIDs?.map { intern($0) } ?? none
        groupKeys = batch.groupKeys?.map { intern($0) } ?? none
        timestampsMicros = batch.timestampsMicros
        flags = batch.flags ?? [UInt8](repeating: 0, count: batch.eventCount)
        if let ids = batch.explicitIDs {
            ids.presence.forEachOne { row in
                explicitIDs.append(ids.id(ordinal: explicitIDRows.count))
                explicitIDRows.append(row)
            }
        }
        for (number, column) in batch.valueColumns.enumerated() {
            let gone = values[number]
            var gathered = GatheredColumn(scope: column.scope, type: column.type, name: intern(column.name))
            var ordinal = 0
            column.presence.forEachOne { row in
                defer { ordinal &+= 1 }
                if gone?[row] == true { return }
                switch column.values {
                case .bool(let bits): gathered.append(bits[ordinal] ? 1 : 0, row: row)
                case .int64(let numbers): gathered.append(UInt64(bitPattern: numbers[ordinal]), row: row)
                case .float64(let numbers): gathered.append(numbers[ordinal].bitPattern, row: row)
                case .string(let refs), .json(let refs): gathered.append(UInt64(intern(refs[ordinal])), row: row)
                }
            }
            columns.append(gathered)
        }
    }
}
