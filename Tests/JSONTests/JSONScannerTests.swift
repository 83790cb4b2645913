import Bytes
import JSON
import Testing

@Suite struct JSONScannerTests {
    @Test(arguments: [
        (#"{"a":1,"b":{"a":2},"c":"x"}"#, "b", #"{"a":2}"#),
        (#" { "b" : [ 1 , 2 ] , "a" : 3 } "#, "b", "[ 1 , 2 ]"),
        (#"{"caf\u00e9":1}"#, "café", "1"),
        (#"{"x":"a\"}","b":-1.5e3}"#, "b", "-1.5e3"),
        (#"{"":null}"#, "", "null"),
        (#"{"a":1,"a":2}"#, "a", "1"),
    ])
    func aMemberOfTheTopLevelIsFound(text: String, name: String, value: String) {
        let bytes = Array(text.utf8)
        let range = JSONScanner.member(Array(name.utf8), in: bytes.rawSpan)
        #expect(range.map { String(decoding: bytes[$0], as: UTF8.self) } == value)
    }

    /// The object is ours, so a value in it may be as deep as one that stands alone.
    @Test(arguments: [(64, true), (65, false)]) func aDeepValueDoesNotHideTheMemberBehindIt(depth: Int, isFound: Bool) {
        let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let isValid = JSONScanner.isValid(Array(deep.utf8).rawSpan)
        #expect(isValid == isFound)
        let bytes = Array("{\"a\":\(deep),\"b\":1}".utf8)
        let range = JSONScanner.member([UInt8(ascii: "b")], in: bytes.rawSpan)
        #expect(range.map { String(decoding: bytes[$0], as: UTF8.self) } == (isFound ? "1" : nil))
        let isObject = JSONScanner.forEachMember(of: bytes.rawSpan) { _, _, _ in }
        #expect(isObject == isFound)
    }

    @Test(arguments: [#"{"a":{"b":1}}"#, "{}", "[]", "", "{", #"{"a":1,"#, #""b""#, #"{"bb":1}"#, #"{"\u0062b":1}"#])
    func aMemberThatIsNotThereIsNil(text: String) {
        let range = JSONScanner.member([UInt8(ascii: "b")], in: Array(text.utf8).rawSpan)
        #expect(range == nil)
    }

    @Test(arguments: [
        ("null", JSONScalar.null), ("true", .bool(true)), (" false ", .bool(false)), ("-7", .integer(-7)),
        ("7.0", .double(7)), ("-0", .double(-0.0)), ("1e400", .other), ("[1]", .other), ("{}", .other), ("", .other),
        ("1x", .other), (#""ab""#, .string(1..<3, hasEscapes: false)), (#""a\n""#, .string(1..<4, hasEscapes: true)),
    ])
    func aScalarHasItsType(text: String, expected: JSONScalar) {
        let scalar = JSONScanner.scalar(Array(text.utf8).rawSpan)
        #expect(scalar == expected)
    }

    @Test func escapesResolveToTheirBytes() {
        let text = Array(#""a\u00e9\uD834\uDD1E\"\n€""#.utf8)
        var output: [UInt8] = []
        let isRead = JSONScanner.appendString(1..<(text.count - 1), of: text.rawSpan, to: &output)
        #expect(isRead)
        #expect(String(decoding: output, as: UTF8.self) == "aé𝄞\"\n€")
    }

    @Test func membersComeInTheOrderOfTheText() {
        let text = Array(#"{"a": 1, "b\n": [2], "c": {"d": 3}}"#.utf8)
        var seen: [String] = []
        let isObject = JSONScanner.forEachMember(of: text.rawSpan) { name, hasEscapes, value in
            let parts = [name, value].map { String(decoding: text[$0], as: UTF8.self) }
            seen.append(parts.joined(separator: "=") + (hasEscapes ? "!" : ""))
        }
        #expect(isObject)
        #expect(seen == ["a=1", #"b\n=[2]!"#, #"c={"d": 3}"#])
        let isArrayAnObject = JSONScanner.forEachMember(of: Array("[1]".utf8).rawSpan) { _, _, _ in }
        #expect(!isArrayAnObject)
    }
}
