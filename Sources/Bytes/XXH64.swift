/// XXH64 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md): the fingerprint of a batch and the hash of bloom filters.
public enum XXH64 {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    /// The hash of `bytes`. O(n).
    public static func hash(_ bytes: RawSpan, seed: UInt64 = 0) -> UInt64 {
        let count = bytes.byteCount
        var offset = 0
        var result: UInt64
        if count >= 32 {
            var lane1 = seed &+ prime1 &+ prime2
            var lane2 = seed &+ prime2
            var lane3 = seed
            var lane4 = seed &- prime1
            while offset &+ 32 <= count {
                lane1 = round(lane1, bytes.uncheckedWord(offset))
                lane2 = round(lane2, bytes.uncheckedWord(offset &+ 8))
                lane3 = round(lane3, bytes.uncheckedWord(offset &+ 16))
                lane4 = round(lane4, bytes.uncheckedWord(offset &+ 24))
                offset &+= 32
            }
            result = rotate(lane1, 1) &+ rotate(lane2, 7) &+ rotate(lane3, 12) &+ rotate(lane4, 18)
            for lane in [lane1, lane2, lane3, lane4] {
                result = (result ^ round(0, lane)) &* prime1 &+ prime4
            }
        } else {
            result = seed &+ prime5
        }
        result &+= UInt64(count)
        while offset &+ 8 <= count {
            result = rotate(result ^ round(0, bytes.uncheckedWord(offset)), 27) &* prime1 &+ prime4
            offset &+= 8
        }
        if offset &+ 4 <= count {
            var word: UInt64 = 0
            for index in 0..<4 { word |= UInt64(bytes.uncheckedByte(offset &+ index)) &<< UInt64(index &* 8) }
            result = rotate(result ^ (word &* prime1), 23) &* prime2 &+ prime3
            offset &+= 4
        }
        while offset < count {
            result = rotate(result ^ (UInt64(bytes.uncheckedByte(offset)) &* prime5), 11) &* prime1
            offset &+= 1
        }
        result = (result ^ (result &>> 33)) &* prime2
        result = (result ^ (result &>> 29)) &* prime3
        return result ^ (result &>> 32)
    }

    public static func hash(_ bytes: [UInt8]) -> UInt64 { hash(bytes.rawSpan) }

    private static func rotate(_ value: UInt64, _ by: UInt64) -> UInt64 { (value &<< by) | (value &>> (64 &- by)) }

    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        rotate(lane &+ word &* prime2, 31) &* prime1
    }
}
