import Bytes
import Events
import JSON
import Table

/// The columns of one chunk that a question has looked at, each read once. Belongs to one task.
final class ChunkView {
    let chunk: Chunk
    private let execution: Execution
    private var columns: [String: ColumnValues?] = [:]
    private var coded: [Field: CodedColumn] = [:]
    /// Names without a scope that more than one scope has.
    private(set) var ambiguousNames = Set<[UInt8]>()

    init(_ chunk: Chunk, _ execution: Execution) { (self.chunk, self.execution) = (chunk, execution) }

    /// A column's values; nil where no row of the chunk has one.
    func values(_ name: String) throws -> ColumnValues? {
        if let known = columns[name] { return known }
        let values = try chunk.column(name)
        columns[name] = .some(values)
        return values
    }

    /// A column of numbers that every table has; zero where it is null.
    func integers(_ column: EventSchema.Fixed) throws -> [Int64] {
        guard case .int64(let values, _)? = try values(column.name) else {
            return [Int64](repeating: 0, count: chunk.rowCount)
        }
        return values
    }

    // MARK: Fields

    /// Where the values of a field lie, first to last: a row has the first one that is not null.
    private enum Place {
        case column(String)
        case json(column: String, member: [UInt8])
    }

    private static func places(_ scope: EventValue.Scope, _ name: [UInt8]) -> [Place] {
        [
            .column(scope.columnPrefix + "_" + String(decoding: name, as: UTF8.self)),
            .json(column: EventSchema.jsonColumn(scope), member: name),
        ]
    }

    /// The values of a field, for groups and distinct values. `user_id` is the person here.
    func coded(_ field: Field) throws -> CodedColumn {
        if let known = coded[field] { return known }
        let column = try read(field)
        coded[field] = column
        return column
    }

    private func read(_ field: Field) throws -> CodedColumn {
        switch field {
        case .person:
            var column = try coded(.column(EventSchema.Fixed.userID.name))
            if case .strings(let anonymous)? = try values(EventSchema.Fixed.anonymousID.name) {
                column.fill(from: CodedColumn(codes: anonymous.codes, .anonymous(anonymous.dictionary)))
            }
            return column
        case .fixed(.eventID): return try eventIDs()
        case .fixed(.consent): return try consents()
        case .fixed(let fixed): return try coded(.column(fixed.name))
        case .value(let scope, let name): return try coalesced(Self.places(scope, name))
        case .bare(let name):
            var column = CodedColumn(rowCount: chunk.rowCount)
            for scope in Field.bareScopes {
                let other = try coalesced(Self.places(scope, name))
                if column.hasValues, other.hasValues { ambiguousNames.insert(name) }
                column.fill(from: other)
            }
            return column
        }
    }

    /// The values of a column of their own; nil where no row of the chunk has one.
    func coded(_ column: EventSchema.Promoted) throws -> CodedColumn? { try values(column.columnName).map(Self.coded) }

    /// One row's value, for questions about few rows: the others' JSON is not looked into.
    func value(_ scope: EventValue.Scope, _ name: [UInt8], _ row: Int) throws -> Value? {
        for place in Self.places(scope, name) {
            switch place {
            case .column(let name):
                if let value = try values(name)?.value(row) { return value }
            case .json(let column, let member):
                guard case .strings(let texts)? = try values(column), texts.codes[row] != StringColumn.null else {
                    continue
                }
                let text = texts.dictionary.span(Int(texts.codes[row]))
                if let range = JSONScanner.member(member, in: text) { return Value(json: text.extracting(range)) }
            }
        }
        return nil
    }

    private func coalesced(_ places: [Place]) throws -> CodedColumn {
        var column = try coded(places[0])
        for place in places.dropFirst() { column.fill(from: try coded(place)) }
        return column
    }

    private func coded(_ place: Place) throws -> CodedColumn {
        switch place {
        case .json(let column, let member):
            guard case .strings(let texts)? = try values(column) else { return CodedColumn(rowCount: chunk.rowCount) }
            return Self.members(member, of: texts)
        case .column(let name):
            guard let values = try values(name) else { return CodedColumn(rowCount: chunk.rowCount) }
            return Self.coded(values)
        }
    }

    /// Each distinct object is scanned once.
    private static func members(_ name: [UInt8], of texts: StringColumn) -> CodedColumn {
        var coder = CodedColumn.Coder(rowCount: 0)
        var codes: [UInt32] = []
        codes.reserveCapacity(texts.dictionary.count + 1)
        for index in 0..<texts.dictionary.count {
            let text = texts.dictionary.span(index)
            let value = JSONScanner.member(name, in: text).flatMap { Value(json: text.extracting($0)) }
            codes.append(coder.code(value))
        }
        guard !coder.values.isEmpty else { return CodedColumn(rowCount: texts.codes.count) }
        codes.append(CodedColumn.null)
        return CodedColumn(codes: lookUp(texts.codes, codes), .values(coder.values))
    }

    private static func coded(_ values: ColumnValues) -> CodedColumn {
        if case .strings(let column) = values { return CodedColumn(codes: column.codes, .strings(column.dictionary)) }
        var coder = CodedColumn.Coder(rowCount: values.count)
        for row in 0..<values.count { coder.append(values.value(row)) }
        return coder.column
    }

    private func consents() throws -> CodedColumn {
        guard case .int32(let numbers, let validity)? = try values(EventSchema.Fixed.consent.name) else {
            return CodedColumn(rowCount: chunk.rowCount)
        }
        var coder = CodedColumn.Coder(rowCount: numbers.count)
        for (row, number) in numbers.enumerated() {
            let consent = UInt8(exactly: number).flatMap(Event.Consent.init(rawValue:))
            coder.append(validity?[row] ?? true ? consent.map { Value("\($0)") } : nil)
        }
        return coder.column
    }

    private func eventIDs() throws -> CodedColumn {
        var coder = CodedColumn.Coder(rowCount: chunk.rowCount)
        let ids = try EventIDs(self)
        for row in 0..<chunk.rowCount { coder.append(ids.value(row)) }
        return coder.column
    }

    // MARK: Numbers

    /// A field's values where numbers are wanted: numbers of a column of their own, then what else there is.
    struct Numbers {
        enum Own {
            case doubles([Double])
            case integers([Int64])
        }
        let own: Own?
        /// Which rows have a number of their own; nil if all do.
        let validity: Bitmap?
        let others: CodedColumn?
    }

    func numbers(_ field: Field) throws -> Numbers {
        try execution.check()
        let scopes: [EventValue.Scope]
        let name: [UInt8]
        switch field {
        case .value(let scope, let valueName): (scopes, name) = ([scope], valueName)
        case .bare(let bareName): (scopes, name) = (Field.bareScopes, bareName)
        case .fixed(let fixed):
            guard case .int64(let integers, let validity)? = try values(fixed.name) else {
                return Numbers(own: nil, validity: nil, others: try coded(field))
            }
            return Numbers(own: .integers(integers), validity: validity, others: nil)
        case .person: return Numbers(own: nil, validity: nil, others: try coded(field))
        }
        let own = scopes[0].columnPrefix + "_" + String(decoding: name, as: UTF8.self)
        guard case .double(let doubles, let validity)? = try values(own) else {
            return Numbers(own: nil, validity: nil, others: try coded(field))
        }
        var others = try coded(.json(column: EventSchema.jsonColumn(scopes[0]), member: name))
        // A column of its own may stand there without a value.
        var hasValues = validity.map { $0.onesCount > 0 } ?? !doubles.isEmpty
        hasValues = hasValues || others.hasValues
        for scope in scopes.dropFirst() {
            let other = try coalesced(Self.places(scope, name))
            if hasValues, other.hasValues { ambiguousNames.insert(name) }
            hasValues = hasValues || other.hasValues
            others.fill(from: other)
        }
        return Numbers(own: .doubles(doubles), validity: validity, others: others.codeCount > 0 ? others : nil)
    }

    // MARK: Predicates

    func mask(_ predicate: Predicate) throws -> RowMask {
        switch predicate {
        case .all(let parts):
            var mask = RowMask.constant(true)
            for part in parts {
                // What nothing passes any more needs no further columns.
                if case .constant(false) = mask { return mask }
                mask = mask.and(try self.mask(part))
            }
            return mask
        case .any(let parts):
            var mask = RowMask.constant(false)
            for part in parts {
                if case .constant(true) = mask { return mask }
                mask = mask.or(try self.mask(part))
            }
            return mask
        case .not(let part): return try mask(part).inverted
        case .test(let field, let test): return try mask(field, test)
        }
    }

    private func mask(_ field: Field, _ test: Predicate.Test) throws -> RowMask {
        // A test of a value looks at every row.
        try execution.check()
        switch field {
        case .person:
            // Any id of the person, not only the one that the event's key was made of.
            let user = try coded(.column(EventSchema.Fixed.userID.name))
            let anonymous = try coded(.column(EventSchema.Fixed.anonymousID.name))
            return user.mask(test).or(anonymous.mask(test))
        default: return try coded(field).mask(test)
        }
    }
}
