import CZlib

/// Whole bodies to RFC 1952.
package enum Gzip {
    /// How much time compressing may take.
    package enum Effort: Int32, Sendable {
        /// For what is sent once.
        case fast = 2
        /// For what is compressed once and sent often.
        case best = 9
    }

    /// One member that holds `bytes`. Without a time in its header: equal bytes give equal bytes. O(n).
    package static func compress(_ bytes: [UInt8], _ effort: Effort) -> [UInt8] {
        // Safe: zlib keeps a pointer to the state, which does not move while the pointer is lent.
        var state = unsafe z_stream()
        return unsafe withUnsafeMutablePointer(to: &state) { state in
            // 16 more than the largest window: a gzip wrapper. 8: zlib's default memory level.
            var status = unsafe deflateInit2_(
                state, effort.rawValue, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size))
            precondition(status == Z_OK, "zlib has no memory")
            defer { unsafe deflateEnd(state) }
            let bound = unsafe Int(deflateBound(state, uLong(bytes.count)))
            // Safe: zlib reads `avail_in` and writes at most `avail_out` bytes.
            let output = unsafe [UInt8](unsafeUninitializedCapacity: bound) { room, count in
                unsafe bytes.withUnsafeBufferPointer { source in
                    unsafe state.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                    unsafe state.pointee.avail_in = uInt(source.count)
                    unsafe state.pointee.next_out = room.baseAddress
                    unsafe state.pointee.avail_out = uInt(room.count)
                    status = unsafe deflate(state, Z_FINISH)
                    count = unsafe room.count - Int(state.pointee.avail_out)
                }
            }
            precondition(status == Z_STREAM_END, "deflateBound gave too little room")
            return output
        }
    }

    /// - Parameter limit: refuses what inflates to more bytes.
    package static func inflate(_ bytes: [UInt8], limit: Int) throws(GzipError) -> [UInt8] {
        let inflater = GzipInflater()
        inflater.feed(bytes)
        var output: [UInt8] = []
        while true {
            let piece = try inflater.next()
            if piece.isEmpty { break }
            guard piece.count <= limit - output.count else { throw GzipError(reason: "more than \(limit) bytes") }
            output += piece
        }
        guard !inflater.isInsideMember else { throw GzipError(reason: "it ends inside a member") }
        return output
    }
}
