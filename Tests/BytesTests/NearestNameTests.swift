import Bytes
import Testing

@Suite struct NearestNameTests {
    @Test(arguments: [
        ("lisen", "listen"), ("agregate", "aggregate"), ("segment_byte", "segment_bytes"), ("xyz", nil), ("", nil),
        ("tsop", "stop"),
    ] as [(String, String?)])
    func aSlipIsUnderstoodAndAnotherWordIsNot(name: String, expected: String?) {
        #expect(nearestName(to: name, in: ["listen", "aggregate", "segment_bytes", "stop"]) == expected)
    }

    @Test func aLongTextIsNoName() {
        #expect(nearestName(to: String(repeating: "a", count: 65), in: [String(repeating: "a", count: 64)]) == nil)
    }
}
