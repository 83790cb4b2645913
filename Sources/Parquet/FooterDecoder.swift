import Bytes

// FileMetaData and PageHeader read from the thrift compact protocol. Field ids: parquet.thrift.

extension Footer {
    init(_ bytes: RawSpan) throws(DecodeError) {
        var offset = 0
        var id = 0
        while let kind = try bytes.thriftField(&id, &offset) {
            switch id {
            case 1: version = try bytes.thriftCount(kind, &offset)
            case 2:
                let count = try bytes.thriftList(kind, of: .structure, limit: ParquetLimits.columnsMax + 1, &offset)
                for _ in 0..<count { schema.append(try SchemaElement(bytes, &offset)) }
            case 3: rowCount = try bytes.thriftCount(kind, &offset)
            case 4:
                let count = try bytes.thriftList(kind, of: .structure, limit: ParquetLimits.rowGroupsMax, &offset)
                for _ in 0..<count { rowGroups.append(try RowGroupRecord(bytes, &offset)) }
            case 5:
                let count = try bytes.thriftList(kind, of: .structure, limit: ParquetLimits.keyValuesMax, &offset)
                for _ in 0..<count { keyValueMetadata.append(try Self.keyValue(bytes, &offset)) }
            case 6: createdBy = bytes.text(try bytes.thriftBinary(kind, &offset))
            case 8: throw .invalid(what: "encrypted file", offset: offset)
            default: try bytes.thriftSkip(kind, &offset)
            }
        }
    }

    private static func keyValue(
        _ bytes: RawSpan, _ offset: inout Int
    ) throws(DecodeError) -> (key: String, value: String) {
        var pair = (key: "", value: "")
        var id = 0
        while let kind = try bytes.thriftField(&id, &offset) {
            switch id {
            case 1: pair.key = bytes.text(try bytes.thriftBinary(kind, &offset))
            case 2: pair.value = bytes.text(try bytes.thriftBinary(kind, &offset))
            default: try bytes.thriftSkip(kind, &offset)
            }
        }
        return pair
    }
}

extension SchemaElement {
    init(_ bytes: RawSpan, _ offset: inout Int) throws(DecodeError) {
        var id = 0
        while let kind = try bytes.thriftField(&id, &offset) {
            switch id {
            case 1: type = try bytes.thriftCount(kind, &offset)
            case 2: typeLength = try bytes.thriftCount(kind, &offset)
            case 3: repetition = try bytes.thriftCount(kind, &offset)
            case 4: name = bytes.text(try bytes.thriftBinary(kind, &offset))
            case 5: childCount = try bytes.thriftCount(kind, &offset)
            case 6: convertedType = try bytes.thriftCount(kind, &offset)
            case 10:
                try bytes.thriftStruct(kind, &offset)
                logicalType = try LogicalType(bytes, &offset)
            default: try bytes.thriftSkip(kind, &offset)
            }
        }
    }
}

extension LogicalType {
    /// A union: one field, whose id says which annotation it is.
    fileprivate init(_ bytes: RawSpan, _ offset: inout Int) throws(DecodeError) {
        self = .other
        var id = 0
        while let kind = try bytes.thriftField(&id, &offset) {
            switch id {
            case 1: self = .string
            case 6: self = .date
            case 8 where kind == .structure:
                if try Self.isMicrosUTC(bytes, &offset) { self = .timestampMicrosUTC }
                continue
            default: break
            }
            try bytes.thriftSkip(kind, &offset)
        }
    }

    /// TimestampType{1 isAdjustedToUTC, 2 unit{1 millis, 2 micros, 3 nanos}}.
    private static func isMicrosUTC(_ bytes: RawSpan, _ offset: inout Int) throws(DecodeError) -> Bool {
        var isUTC = false
        var unit = 0
        var id = 0
        while let kind = try bytes.thriftField(&id, &offset) {
            switch id {
            case 1: isUTC = try bytes.thriftBool(kind, &offset)
            case 2:
                try bytes.thriftStruct(kind, &offset)
                var unitID = 0
                while let unitKind = try bytes.thriftField(&unitID, &offset) {
                    unit = unitID
                    try bytes.thriftSkip(unitKind, &offset)
                }
            default: try bytes.thriftSkip(kind, &offset)
            }
        }
        return isUTC && unit == 2
    }
}

extension RowGroupRecord {
    init(_ bytes: RawSpan, _ offset: inout Int) throws(DecodeError) {
        var id = 0
        while let kind = try bytes.thriftField(&id, &offset) {
            switch id {
            case 1:
                let count = try bytes.thriftList(kind, of: .structure, limit: ParquetLimits.columnsMax, &offset)
                for _ in 0..<count { chunks.append(try ChunkRecord(bytes, &offset)) }
            case 2: encodedBytes = try bytes.thriftCount(kind, &offset)
            case 3: rowCount = try bytes.thriftCount(kind, &offset)
            case 4:
                let count = try bytes.thriftList(kind, of: .structure, limit: ParquetLimits.columnsMax, &offset)
                for _ in 0..<count { sortingColumns.append(try SortingColumn(bytes, &offset)) }
            case 6: compressedBytes = try bytes.thriftCount(kind, &offset)
            default: try bytes.thriftSkip(kind, &offset)
            }
        }
    }
}

extension SortingColumn {
    fileprivate init(_ bytes: RawSpan, _ offset: inout Int) throws(DecodeError) {
        var (index, isDescending, isNullsFirst) = (0, false, false)
        var id = 0
        while let kind = try bytes.thriftField(&id, &offset) {
            switch id {
            case 1: index = try bytes.thriftCount(kind, &offset)
            case 2: isDescending = try bytes.thriftBool(kind, &offset)
            case 3: isNullsFirst = try bytes.thriftBool(kind, &offset)
            default: try bytes.thriftSkip(kind, &offset)
            }
        }
        self.init(index, isDescending: isDescending, isNullsFirst: isNullsFirst)
    }
}

extension ChunkRecord {
    init(_ bytes: RawSpan, _ offset: inout Int) throws(DecodeError) {
        var (indexOffset, indexLength): (Int?, Int?) = (nil, nil)
        var (boundsOffset, boundsLength): (Int?, Int?) = (nil, nil)
        var id = 0
        while let kind = try bytes.thriftField(&id, &offset) {
            switch id {
            case 1:
                isInOtherFile = true
                try bytes.thriftSkip(kind, &offset)
            case 3:
                try bytes.thriftStruct(kind, &offset)
                try readMetadata(bytes, &offset)
                hasMetadata = true
            case 4: indexOffset = try bytes.thriftCount(kind, &offset)
            case 5: indexLength = try bytes.thriftCount(kind, &offset)
            case 6: boundsOffset = try bytes.thriftCount(kind, &offset)
            case 7: boundsLength = try bytes.thriftCount(kind, &offset)
            case 8, 9:
                isEncrypted = true
                try bytes.thriftSkip(kind, &offset)
            default: try bytes.thriftSkip(kind, &offset)
            }
        }
        offsetIndex = try Self.range(indexOffset, indexLength, offset)
        columnIndex = try Self.range(boundsOffset, boundsLength, offset)
    }

    private static func range(_ start: Int?, _ length: Int?, _ offset: Int) throws(DecodeError) -> Range<Int>? {
        guard let start, let length else { return nil }
        let (end, isOver) = start.addingReportingOverflow(length)
        guard !isOver else { throw .invalid(what: "page index range", offset: offset) }
        return start..<end
    }

    private mutating func readMetadata(_ bytes: RawSpan, _ offset: inout Int) throws(DecodeError) {
        var id = 0
        while let kind = try bytes.thriftField(&id, &offset) {
            switch id {
            case 1: type = try bytes.thriftCount(kind, &offset)
            case 3:
                let count = try bytes.thriftList(kind, of: .binary, limit: 256, &offset)
                for _ in 0..<count { path.append(bytes.text(try bytes.thriftBinary(.binary, &offset))) }
            case 4: codec = try bytes.thriftCount(kind, &offset)
            case 5: valueCount = try bytes.thriftCount(kind, &offset)
            case 6: encodedBytes = try bytes.thriftCount(kind, &offset)
            case 7: compressedBytes = try bytes.thriftCount(kind, &offset)
            case 9: dataPageOffset = try bytes.thriftCount(kind, &offset)
            case 11: dictionaryPageOffset = try bytes.thriftCount(kind, &offset)
            case 12:
                try bytes.thriftStruct(kind, &offset)
                statistics = try RawStatistics(bytes, &offset)
            default: try bytes.thriftSkip(kind, &offset)
            }
        }
    }
}

extension RawStatistics {
    /// The old fields 1 and 2 (min, max with an undefined order) are passed over.
    fileprivate init(_ bytes: RawSpan, _ offset: inout Int) throws(DecodeError) {
        var id = 0
        while let kind = try bytes.thriftField(&id, &offset) {
            switch id {
            case 3: nullCount = try bytes.thriftCount(kind, &offset)
            case 5: max = bytes.copy(try bytes.thriftBinary(kind, &offset))
            case 6: min = bytes.copy(try bytes.thriftBinary(kind, &offset))
            case 7: isMaxExact = try bytes.thriftBool(kind, &offset)
            case 8: isMinExact = try bytes.thriftBool(kind, &offset)
            default: try bytes.thriftSkip(kind, &offset)
            }
        }
    }
}

extension PageHeader {
    /// Reads one header and moves `offset` to the page's bytes.
    init(_ bytes: RawSpan, _ offset: inout Int) throws(DecodeError) {
        var id = 0
        while let kind = try bytes.thriftField(&id, &offset) {
            switch id {
            case 1: type = try bytes.thriftCount(kind, &offset)
            case 2: encodedBytes = try bytes.thriftCount(kind, &offset)
            case 3: storedBytes = try bytes.thriftCount(kind, &offset)
            case 4: checksum = UInt32(truncatingIfNeeded: try bytes.thriftInteger(kind, &offset))
            case 5, 7, 8:
                try bytes.thriftStruct(kind, &offset)
                hasBody = true
                if id == 8 { try readDataV2(bytes, &offset) } else { try readBody(bytes, &offset) }
            default: try bytes.thriftSkip(kind, &offset)
            }
        }
    }

    /// DataPageHeader or DictionaryPageHeader, alike in what matters (field 3 of a dictionary is a bool).
    private mutating func readBody(_ bytes: RawSpan, _ offset: inout Int) throws(DecodeError) {
        var id = 0
        while let kind = try bytes.thriftField(&id, &offset) {
            switch id {
            case 1: valueCount = try bytes.thriftCount(kind, &offset)
            case 2: encoding = try bytes.thriftCount(kind, &offset)
            case 3 where kind == .int32: levelEncoding = try bytes.thriftCount(kind, &offset)
            default: try bytes.thriftSkip(kind, &offset)
            }
        }
    }

    private mutating func readDataV2(_ bytes: RawSpan, _ offset: inout Int) throws(DecodeError) {
        var id = 0
        while let kind = try bytes.thriftField(&id, &offset) {
            switch id {
            case 1: valueCount = try bytes.thriftCount(kind, &offset)
            case 2: nullCount = try bytes.thriftCount(kind, &offset)
            case 4: encoding = try bytes.thriftCount(kind, &offset)
            case 5: definitionBytes = try bytes.thriftCount(kind, &offset)
            case 6: repetitionBytes = try bytes.thriftCount(kind, &offset)
            case 7: isCompressed = try bytes.thriftBool(kind, &offset)
            default: try bytes.thriftSkip(kind, &offset)
            }
        }
    }
}
