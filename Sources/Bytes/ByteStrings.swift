/// Many byte strings in one buffer: string tables, dictionaries, string columns.
///
/// String `i` is `bytes[offsets[i]..<offsets[i + 1]]`; `offsets` has one more entry than there are strings.
public struct ByteStrings: Sendable, Equatable {
    public private(set) var bytes: [UInt8]
    public private(set) var offsets: [Int]

    @inlinable
    public init() { self.init(bytes: [], offsets: [0]) }

    /// - Parameter offsets: starts at 0, never falls, ends at `bytes.count`; a precondition.
    @inlinable
    public init(bytes: [UInt8], offsets: [Int]) {
        precondition(offsets.first == 0 && offsets.last == bytes.count, "offsets must span the bytes")
        self.init(unchecked: bytes, offsets)
    }

    @usableFromInline
    init(unchecked bytes: [UInt8], _ offsets: [Int]) {
        self.bytes = bytes
        self.offsets = offsets
    }

    public init(_ strings: some Sequence<String>) {
        self.init()
        for string in strings { append(Array(string.utf8)) }
    }

    @inlinable public var count: Int { offsets.count &- 1 }

    public mutating func reserveCapacity(strings: Int, bytes byteCount: Int) {
        offsets.reserveCapacity(strings + 1)
        bytes.reserveCapacity(byteCount)
    }

    public mutating func append(_ string: [UInt8]) {
        bytes.append(contentsOf: string)
        offsets.append(bytes.count)
    }

    public mutating func append(_ string: RawSpan) {
        // Safe: the pointer is used only inside the closure.
        unsafe string.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        offsets.append(bytes.count)
    }

    @inlinable
    public func range(_ index: Int) -> Range<Int> { offsets[index]..<offsets[index &+ 1] }

    /// String `index` without a copy.
    @inlinable
    @_lifetime(borrow self)
    public func span(_ index: Int) -> RawSpan {
        let range = range(index)
        return bytes.rawSpan.extracting(range)
    }

    /// String `index` as text; ill-formed UTF-8 is repaired with U+FFFD.
    public subscript(index: Int) -> String {
        bytes.rawSpan.text(range(index))
    }

    /// A copy of string `index`.
    public func copy(_ index: Int) -> [UInt8] { Array(bytes[range(index)]) }
}
