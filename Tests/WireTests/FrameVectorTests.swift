import Bytes
import Foundation
import Testing

@testable import Wire

/// protocol/vectors/frames/ and this module say the same. `WRITE_VECTORS=1` writes the files anew.
@Suite struct FrameVectorTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../protocol/vectors/frames").standardized

    @Test(arguments: FrameVectors.all()) func theFileInTheTreeIsWhatIsGenerated(vector: FrameVectors.Vector) throws {
        let binary = Self.folder.appendingPathComponent(vector.name + ".bin")
        let json = Self.folder.appendingPathComponent(vector.name + ".json")
        if ProcessInfo.processInfo.environment["WRITE_VECTORS"] != nil {
            try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
            try Data(vector.bytes).write(to: binary)
            try Data(vector.json.utf8).write(to: json)
        }
        #expect([UInt8](try Data(contentsOf: binary)) == vector.bytes)
        #expect(try String(contentsOf: json, encoding: .utf8) == vector.json)
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["WRITE_VECTORS"] == nil))
    func thereAreNoOtherFiles() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(names) == Set(FrameVectors.all().flatMap { [$0.name + ".bin", $0.name + ".json"] }))
    }

    @Test func whatIsBadIsRefusedWithTheCodeTheFileNames() throws {
        for vector in FrameVectors.all() where vector.name.hasPrefix("bad_") {
            #expect("\(vector.name)") { try decodeAll(vector.bytes, pieceBytes: .max) } throws: { error in
                guard let error = error as? WireError else { return false }
                return vector.json.contains("\"error\": \"\(error.code.name)\"")
            }
        }
    }

    @Test func whatIsUnknownAndEvenIsSkipped() throws {
        let vectors = FrameVectors.all()
        let type = try #require(vectors.first { $0.name == "unknown_even_type" })
        #expect(try decodeAll(type.bytes, pieceBytes: .max).isEmpty)
        let field = try #require(vectors.first { $0.name == "unknown_even_field" })
        #expect(try decodeAll(field.bytes, pieceBytes: .max) == [.ping(Ping(number: 0, clockMicros: 5))])
    }
}
