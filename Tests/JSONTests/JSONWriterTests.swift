import Bytes
import JSON
import TestSupport
import Testing

@Suite struct JSONWriterTests {
    private let sample: JSONValue = [
        "name": "a \"b\" \\ / \n\r\t\u{8}\u{C}\u{1}\u{7F} é€𝄞", "count": 3, "ratio": 0.1, "whole": 1.0, "big": 1e20,
        "on": true,
        "none": nil, "empty": [], "object": [:], "list": [1, [2]],
    ]

    @Test func compactTextIsExact() {
        #expect(
            sample.description == #"{"name":"a \"b\" \\ / \n\r\t\b\f\u0001"# + "\u{7F} é€𝄞"
                + #"","count":3,"ratio":0.1,"whole":1.0,"big":1e+20,"on":true,"none":null,"#
                + #""empty":[],"object":{},"list":[1,[2]]}"#)
    }

    @Test func indentedTextIsExact() {
        let value: JSONValue = ["a": [1, ["b": []]], "c": [:]]
        #expect(
            String(decoding: value.encoded(.indented(spaces: 2)), as: UTF8.self) == """
                {
                  "a": [
                    1,
                    {
                      "b": []
                    }
                  ],
                  "c": {}
                }
                """)
    }

    @Test func infinityAndNaNBecomeNull() {
        let value: JSONValue = [.number(.infinity), .number(-.infinity), .number(.nan)]
        #expect(value.description == "[null,null,null]")
    }

    @Test func rowsWrittenOneAfterAnotherStandSideBySide() throws {
        var writer = JSONWriter()
        for row in 0..<2 {
            writer.beginObject()
            writer.name("row")
            writer.integer(row)
            writer.name("raw")
            writer.raw(Array("[1, 2]".utf8).rawSpan)
            writer.endObject()
        }
        #expect(
            String(decoding: writer.output.bytes, as: UTF8.self) == #"{"row":0,"raw":[1, 2]}{"row":1,"raw":[1, 2]}"#)
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func randomValuesSurviveTheRoundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            let value = randomValue(depth: 0, &random)
            #expect(try JSONValue(parsing: value.encoded()) == value, "seed \(seed)")
            #expect(try JSONValue(parsing: value.encoded(.indented(spaces: 2))) == value, "seed \(seed)")
        }
    }

    @Test func randomDoublesReadBackBitForBit() throws {
        let seed: UInt64 = 77
        var random = SeededRandom(seed: seed)
        for _ in 0..<50_000 {
            let anyDouble = Double(bitPattern: random.next())
            let decimal = Double(Int64.random(in: -9_999_999...9_999_999, using: &random)) / 1000
            for double in [anyDouble, decimal] where double.isFinite {
                let text = JSONValue.number(double).encoded()
                #expect(JSONScanner.scalar(text.rawSpan) == .double(double), "seed \(seed)")
            }
        }
    }

    @Test func removingSettingAndAppendingMembersKeepsTheirOrder() {
        var object = JSONObject([.init("a", 1), .init("b", 2)])
        object["c"] = 3
        object["a"] = 4
        object["b"] = nil
        object["d"] = nil
        #expect(JSONValue.object(object).description == #"{"a":4,"c":3}"#)
    }

    private func randomValue(depth: Int, _ random: inout SeededRandom) -> JSONValue {
        switch Int.random(in: 0..<(depth < 5 ? 8 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .integer(Int64(bitPattern: random.next()))
        case 3: return .number(Double.random(in: -1e9...1e9, using: &random))
        case 4: return .integer(Int64.random(in: -9...9, using: &random))
        case 5: return .string(randomString(&random))
        case 6:
            return .array(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in randomValue(depth: depth + 1, &random) })
        default:
            return .object(
                JSONObject(
                    (0..<Int.random(in: 0...4, using: &random)).map {
                        JSONObject.Member("\($0)" + randomString(&random), randomValue(depth: depth + 1, &random))
                    }))
        }
    }

    private func randomString(_ random: inout SeededRandom) -> String {
        let alphabet: [Character] = ["a", "b", "\"", "\\", "\n", "\u{0}", "\u{1f}", "é", "€", "𝄞", " ", "/"]
        return String((0..<Int.random(in: 0...20, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
    }
}
