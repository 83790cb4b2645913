import Events
import JSON

/// Batches with one fault each; `error` is the case of `BatchError`.
enum BatchFaultVectors {
    static var all: [Vector] { header + strings + columns + values + zstd }

    private static let sound = HandmadeBatch()

    private static func bad(_ name: String, _ error: String, _ batch: HandmadeBatch) -> Vector {
        bad(name, error, batch.bytes)
    }

    private static func bad(_ name: String, _ error: String, _ bytes: [UInt8]) -> Vector {
        Vector(name: "bad_" + name, bytes: bytes, meaning: ["error": .string(error)])
    }

    private static var header: [Vector] {
        [
            bad("header_short", "truncated", Array(sound.bytes.prefix(11))),
            bad("version", "unsupportedVersion", sound.changed { $0.version = 1 }),
            bad("codec", "unknownCodec", sound.changed { $0.codec = 2 }),
            bad("reserved", "reservedFieldNotZero", sound.changed { $0.reserved = 0x0100 }),
            bad("no_events", "noEvents", sound.changed { $0.eventCount = 0 }),
            bad("too_many_events", "overLimit", sound.changed { $0.eventCount = 65_537 }),
            bad("decoded_bytes_wrong", "decodedSizeMismatch", sound.changed { $0.decodedByteCount = 5 }),
            bad("decoded_bytes_too_many", "overLimit", sound.changed { $0.decodedByteCount = 16 << 20 + 1 }),
            bad("more_events_than_rows", "truncated", sound.changed { $0.eventCount = 3 }),
            bad("fewer_events_than_rows", "surplusBytes", sound.changed { $0.eventCount = 1 }),
        ]
    }

    private static var strings: [Vector] {
        [
            bad("string_byte_ff", "notUTF8", sound.changed { $0.strings[1] = [0xFF] }),
            bad("string_overlong", "notUTF8", sound.changed { $0.strings[1] = [0xC0, 0xAF] }),
            bad("string_surrogate", "notUTF8", sound.changed { $0.strings[1] = [0xED, 0xA0, 0x80] }),
            bad("string_past_unicode", "notUTF8", sound.changed { $0.strings[1] = [0xF4, 0x90, 0x80, 0x80] }),
            bad("string_cut_character", "notUTF8", sound.changed { $0.strings[4] = [0xE2, 0x82] }),
            bad(
                "string_shares_character", "stringStartsInsideCharacter",
                sound.changed { ($0.strings[1], $0.strings[2]) = ([0x61, 0xC3], [0xA9]) }),
            bad("too_many_strings", "overLimit", sound.changed { $0.stringCount = 262_145 }),
            bad("strings_cut", "truncated", sound.changed { $0.stringCount = 2000 }),
        ]
    }

    private static var columns: [Vector] {
        [
            bad("columns_descend", "columnOrder", sound.changed { $0.columns.reverse() }),
            bad("column_twice", "columnOrder", sound.with(2, [0, 0]).with(2, [0, 0])),
            bad("no_type", "missingColumn", sound.changed { $0.columns.remove(at: 0) }),
            bad("no_timestamp", "missingColumn", sound.changed { $0.columns.remove(at: 1) }),
            bad("too_many_columns", "overLimit", sound.changed { $0.columnCount = 1025 }),
            bad("column_past_end", "truncated", sound.changed { $0.columnCount = 3 }),
            bad("bytes_after_columns", "surplusBytes", sound.changed { $0.surplus = [0] }),
            bad("column_surplus", "surplusBytes", sound.replacing(1, [0, 0, 0])),
            bad("column_short", "truncated", sound.replacing(1, [0])),
            bad("varint_eleven_bytes", "varintTooLong", sound.replacing(5, [UInt8](repeating: 0x80, count: 11) + [0])),
            bad("varint_65_bits", "varintTooLong", sound.replacing(5, [UInt8](repeating: 0xFF, count: 9) + [2, 0])),
            bad("type_out_of_range", "stringIndexOutOfRange", sound.replacing(1, [0, 5])),
            bad("type_empty", "emptyString", sound.replacing(1, [0, 4])),
            bad("type_long", "overLimit", sound.changed { $0.strings[0] = [UInt8](repeating: 0x61, count: 201) }),
            bad("user_id_out_of_range", "stringIndexOutOfRange", sound.with(2, [0, 6])),
            bad("user_id_empty", "emptyString", sound.with(2, [2, 5])),
            bad(
                "group_key_long", "overLimit",
                sound.with(8, [0, 2]).changed { $0.strings[1] = [UInt8](repeating: 0x61, count: 513) }),
            bad("flags_unknown_bit", "unknownFlagBits", sound.with(6, [0, 8])),
            bad("flags_consent_3", "unknownFlagBits", sound.with(6, [6, 0])),
            bad("event_id_spare_bit", "spareBitsSet", sound.with(7, [4] + [UInt8](repeating: 7, count: 16))),
            bad("event_id_short", "truncated", sound.with(7, [3] + [UInt8](repeating: 7, count: 31))),
        ]
    }

    private static var values: [Vector] {
        let infinity: [UInt8] = [0, 0, 0, 0, 0, 0, 0xF0, 0x7F]
        let notANumber: [UInt8] = [0, 0, 0, 0, 0, 0, 0xF8, 0x7F]
        return [
            bad("value_scope", "unknownScope", sound.with(32, [6, 4, 2, 1, 3])),
            bad("value_type", "unknownValueType", sound.with(32, [1, 6, 2, 1, 3])),
            bad("value_name_out_of_range", "stringIndexOutOfRange", sound.with(32, [1, 4, 5, 1, 3])),
            bad("value_name_empty", "emptyString", sound.with(32, [1, 4, 4, 1, 3])),
            bad(
                "value_name_long", "overLimit",
                sound.with(32, [1, 4, 2, 1, 3]).changed { $0.strings[2] = [UInt8](repeating: 0x61, count: 256) }),
            bad("value_column_empty", "emptyValueColumn", sound.with(32, [1, 4, 2, 0])),
            bad("value_spare_row", "spareBitsSet", sound.with(32, [1, 4, 2, 5, 3, 3])),
            bad("value_spare_bool", "spareBitsSet", sound.with(32, [1, 1, 2, 1, 2])),
            bad("value_string_out_of_range", "stringIndexOutOfRange", sound.with(32, [1, 4, 2, 1, 5])),
            bad("value_infinity", "notFinite", sound.with(32, [1, 3, 2, 1] + infinity)),
            bad("value_nan", "notFinite", sound.with(32, [1, 3, 2, 1] + notANumber)),
            bad("value_not_json", "notJSON", sound.with(32, [1, 5, 2, 1, 3])),
            bad("value_empty_json", "notJSON", sound.with(32, [1, 5, 2, 1, 4])),
            bad("value_surplus", "surplusBytes", sound.with(32, [1, 4, 2, 1, 3, 3])),
            bad("value_columns_scope_order", "valueColumnOrder", pair([2, 4, 2, 1, 3], [1, 4, 2, 2, 3])),
            bad("value_columns_name_order", "valueColumnOrder", pair([1, 4, 1, 1, 3], [1, 4, 2, 2, 3])),
            bad("value_columns_type_order", "valueColumnOrder", pair([1, 4, 2, 1, 3], [1, 2, 2, 2, 0])),
            bad("value_columns_equal", "valueColumnOrder", pair([1, 4, 2, 1, 3], [1, 4, 2, 2, 3])),
            bad("value_name_twice_in_event", "repeatedName", pair([1, 2, 2, 3, 0, 0], [1, 4, 2, 2, 3])),
            bad(
                "value_name_twice_in_later_columns", "repeatedName",
                pair([1, 1, 2, 1, 1], [1, 2, 2, 2, 0]).changed { $0.columns.append((32, [1, 4, 2, 2, 3])) }),
            bad(
                "value_name_twice_two_columns_apart", "repeatedName",
                pair([1, 1, 2, 1, 1], [1, 2, 2, 2, 0]).changed { $0.columns.append((32, [1, 4, 2, 1, 3])) }),
        ]
    }

    private static func pair(_ first: [UInt8], _ second: [UInt8]) -> HandmadeBatch {
        sound.changed { $0.columns += [(32, first), (32, second)] }
    }

    private static var zstd: [Vector] {
        let packed = sound.changed { $0.codec = 1 }
        let body = packed.body
        let frame = HandmadeZstd.frame(body, declaring: body.count)
        let long = 1 << 20
        let longString = HandmadeZstd.frame(
            HandmadeBatch.varints([2, UInt64(long) + 9, 0]) + Array("page_view".utf8), 0x61, count: long, [0])
        let longBatch = packed.changed { $0.decodedByteCount = UInt32(6 + 9 + long) }
        return [
            bad("zstd_not_a_frame", "notOneZstdFrame", packed.bytes(payload: body)),
            bad("zstd_cut", "notOneZstdFrame", packed.bytes(payload: Array(frame.dropLast()))),
            bad(
                "zstd_two_frames", "notOneZstdFrame",
                packed.bytes(payload: frame + HandmadeZstd.frame([], declaring: 0))),
            bad("zstd_surplus", "notOneZstdFrame", packed.bytes(payload: frame + [0])),
            bad("zstd_size_undeclared", "compression", packed.bytes(payload: HandmadeZstd.frameOfUndeclaredSize(body))),
            bad(
                "zstd_declares_more", "decodedSizeMismatch",
                packed.bytes(payload: HandmadeZstd.frame(body, declaring: 64 << 20))),
            bad(
                "zstd_declares_less", "decodedSizeMismatch",
                packed.bytes(payload: HandmadeZstd.frame(Array(body.dropLast()), declaring: body.count - 1))),
            bad(
                "zstd_holds_less", "compression",
                packed.bytes(payload: HandmadeZstd.frame(Array(body.dropLast()), declaring: body.count))),
            bad("string_over_1_mib", "overLimit", longBatch.bytes(payload: longString)),
        ]
    }
}
