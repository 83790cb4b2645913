import CZlib

/// Inflates a gzip file piece by piece: RFC 1952, any number of members one behind the other.
///
/// Safe throughout: the state is allocated once and freed by `deinit`, since zlib keeps its address; buffers are lent
/// for one call that says how long they are.
@safe
package final class GzipInflater {
    /// What one call gives at most, so that a small file of zeros cannot fill the memory.
    package static let outputBytesMax = 256 << 10

    private let state: UnsafeMutablePointer<z_stream>
    private var input: [UInt8] = []
    private var inputOffset = 0
    /// Inside a member: the file must not end here.
    package private(set) var isInsideMember = false
    private var hasSeenMember = false
    private var isInTrailer = false

    package init() {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: z_stream())
        // 16 more than the largest window: a gzip wrapper, nothing else.
        let status = unsafe inflateInit2_(state, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib has no memory")
    }

    deinit {
        unsafe inflateEnd(state)
        unsafe state.deallocate()
    }

    /// Whether a file that begins so is gzip.
    package static func isGzip(_ start: [UInt8]) -> Bool { start.starts(with: [0x1F, 0x8B]) }

    /// Takes the next piece of the file, after `next` has given nothing more of the one before.
    package func feed(_ piece: [UInt8]) {
        precondition(inputOffset == input.count, "the piece before is not used up")
        input = piece
        inputOffset = 0
    }

    /// - Returns: the next bytes inflated; empty when more input is needed.
    package func next() throws(GzipError) -> [UInt8] {
        while inputOffset < input.count {
            if isInTrailer { return try skipTrailer() }
            if !isInsideMember, hasSeenMember, input[inputOffset] == 0 {
                isInTrailer = true
                continue
            }
            let output = try inflateOnce()
            if !output.isEmpty { return output }
        }
        return []
    }

    /// Zeros behind the last member are padding; tar and tapes leave them.
    private func skipTrailer() throws(GzipError) -> [UInt8] {
        guard input[inputOffset...].allSatisfy({ $0 == 0 }) else {
            throw GzipError(reason: "other bytes behind the last member")
        }
        inputOffset = input.count
        return []
    }

    private func inflateOnce() throws(GzipError) -> [UInt8] {
        isInsideMember = true
        hasSeenMember = true
        var status = Z_OK
        let available = input.count - inputOffset
        // Safe: zlib reads at most `avail_in` and writes at most `avail_out` bytes, and keeps no pointer to either.
        let output = unsafe [UInt8](unsafeUninitializedCapacity: Self.outputBytesMax) { room, count in
            unsafe input.withUnsafeMutableBufferPointer { source in
                unsafe state.pointee.next_in = source.baseAddress.map { unsafe $0 + inputOffset }
                unsafe state.pointee.avail_in = uInt(available)
                unsafe state.pointee.next_out = room.baseAddress
                unsafe state.pointee.avail_out = uInt(room.count)
                status = unsafe inflate(state, Z_NO_FLUSH)
                count = unsafe room.count - Int(state.pointee.avail_out)
            }
        }
        inputOffset += unsafe available - Int(state.pointee.avail_in)
        switch status {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END:
            isInsideMember = false
            _ = unsafe inflateReset(state)  // fails only for a state that is none
        default:
            // Safe: zlib's messages are static C strings.
            let message = unsafe state.pointee.msg.map { unsafe String(cString: $0) } ?? "zlib error \(status)"
            throw GzipError(reason: message)
        }
        return output
    }
}
