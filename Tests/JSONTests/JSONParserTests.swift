import Bytes
import JSON
import TestSupport
import Testing

@Suite struct JSONParserTests {
    // In the manner of the JSON parsing test suite (github.com/nst/JSONTestSuite): y_ accepted, n_ refused.

    @Test(arguments: [
        "[]", "{}", " [ ] ", "null", "true", "false", "0", "-0", "123", "-1", "1.5", "1e3", "1E+2", "1e-2", "0e1",
        "123.456e78", "9223372036854775807", "-9223372036854775808", "18446744073709551616", "\"\"", "\"a\"",
        #""\"\\\/\b\f\n\r\t""#, #""\u0041""#, #""\u00e9\u20AC""#, #""\uD834\uDD1E""#, #""\u0000""#, "\"€𝄞\"",
        "\"\u{7f}\"",
        #"{"a":{"b":[1,2,{"c":null}]}}"#, "{\"\":0}", "\t\r\n [1 , 2]\n", "[[],[[]]]", "{\"a\":1,\"b\":1}",
    ])
    func accepts(text: String) throws {
        _ = try JSONValue(parsing: text)
        #expect(isValid(Array(text.utf8)))
    }

    @Test(arguments: [
        "", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
        "{'a':1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "nul", "nulll", "True", "NaN", "Infinity", "-Infinity",
        "+1",
        "01", "-01", "1.", ".5", "-.5", "1.e1", "1e", "1e+", "0x1", "1a", "-", "--1", "1 2", "[] []", "\"", "\"a",
        "\"\\\"",
        "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\uD834\"", "\"\\uDD1E\"", "\"\\uD834\\u0041\"", "\"\\uD834x\"",
        "\"a\nb\"", "\"\t\"", "\"\u{1f}\"", "/**/1", "[1]//", "\u{FEFF}1", "\u{a0}1", "{\"a\":1", "[\"a\"", "\"\\",
    ])
    func refuses(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(!isValid(Array(text.utf8)))
    }

    @Test(arguments: [
        [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80],
        [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF],
    ])
    func refusesIllFormedUTF8(bytes: [UInt8]) {
        let text = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
        #expect(reason(text) == .invalidUTF8)
        #expect(!isValid(text))
    }

    @Test func acceptsTheScalarsAtEachEdgeOfUTF8() throws {
        for value in [0x20, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF] as [UInt32] {
            let text = String(Unicode.Scalar(value)!)
            #expect(try JSONValue(parsing: "\"\(text)\"") == .string(text))
        }
    }

    @Test func numbersKeepTheirType() throws {
        #expect(try JSONValue(parsing: "9223372036854775807") == .integer(.max))
        #expect(try JSONValue(parsing: "-9223372036854775808") == .integer(.min))
        #expect(try JSONValue(parsing: "9223372036854775808") == .number(9_223_372_036_854_775_808))
        #expect(try JSONValue(parsing: "1.0") == .number(1))
        #expect(try JSONValue(parsing: "0.1") == .number(0.1))
        #expect(try JSONValue(parsing: "123456789.000000125") == .number(123456789.000000125))
        #expect(try JSONValue(parsing: "-0").asDouble?.sign == .minus)
        #expect(reason(Array("[1, 1e400]".utf8)) == .numberOutOfRange)
    }

    @Test func aNameThatOccursTwiceIsRefused() throws {
        #expect(reason(Array(#"{"a":1,"\u0061":2}"#.utf8)) == .duplicateName)
        // Equivalent by Unicode, yet different names.
        #expect(try JSONValue(parsing: #"{"\u00e9":1,"e\u0301":2}"#)["e\u{301}"] == 2)
    }

    @Test func sixtyFourContainersNestAndSixtyFiveDoNot() throws {
        func nested(_ count: Int) -> [UInt8] {
            Array(
                (String(repeating: "[", count: count)
                    + String(repeating: "]", count: count)).utf8)
        }
        _ = try JSONValue(parsing: nested(64))
        #expect(isValid(nested(64)))
        #expect(reason(nested(65)) == .tooDeep)
        #expect(reason([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)) == .tooDeep)
        #expect(!isValid(nested(65)))
    }

    @Test func errorsSayLineAndColumn() {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: "{\n  \"a\": 1,\n  \"b\": tru }") }
        #expect(error?.description == "unexpected byte at line 3, column 8")
        #expect(error?.byteOffset == 19)
    }

    @Test func everyPrefixAndBitFlipIsReadOrRefused() {
        let text = Array(
            #"{"a":[1,-2.5e3,true,false,null,"x\n\u00e9\uD834\uDD1E é€𝄞 long enough for words"],"b":{"c":""}}"#.utf8)
        #expect(isValid(text))
        for end in text.indices {
            #expect(reason(Array(text[..<end])) != nil)
            agree(Array(text[..<end]))
        }
        for bit in 0..<(text.count * 8) {
            var flipped = text
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            agree(flipped)
        }
    }

    @Test func randomBytesOfTheGrammarAreReadOrRefused() {
        let seed: UInt64 = 0x1234_5678
        var random = SeededRandom(seed: seed)
        let alphabet = Array("{}[],:\"\\u0dD8 e.-+1truefalsn\u{1}é".utf8)
        for _ in 0..<20_000 {
            agree((0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
        }
    }

    /// The scanner accepts what the parser accepts, and more only where it says so.
    private func agree(_ text: [UInt8]) {
        switch reason(text) {
        case nil: #expect(isValid(text), "\(text)")
        case .duplicateName, .numberOutOfRange: break
        default: #expect(!isValid(text), "\(text)")
        }
        _ = JSONScanner.member([UInt8(ascii: "a")], in: text.rawSpan)
        _ = JSONScanner.scalar(text.rawSpan)
    }

    private func reason(_ text: [UInt8]) -> JSONError.Reason? {
        do throws(JSONError) {
            _ = try JSONValue(parsing: text)
            return nil
        } catch {
            return error.reason
        }
    }

    private func isValid(_ text: [UInt8]) -> Bool { JSONScanner.isValid(text.rawSpan) }
}
