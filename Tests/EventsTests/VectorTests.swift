import Bytes
import Files
import JSON
import Testing

@testable import Events
@testable import vectors

@Suite struct VectorTests {
    private static let folder =
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/protocol/vectors/batch"

    @Test func theTreeHoldsWhatTheGeneratorMakes() throws {
        let vectors = try BatchVectors.all
        for vector in vectors {
            let path = VectorTests.folder + "/" + vector.name
            let bytes = try Disk.posix.contents(path + ".bin")
            let text = try Disk.posix.contents(path + ".json")
            #expect(bytes == vector.bytes, "\(vector.name)")
            #expect(text == vector.meaningText, "\(vector.name)")
        }
        let names = vectors.flatMap { [$0.name + ".bin", $0.name + ".json"] }
        let present = try Disk.posix.list(VectorTests.folder)
        #expect(present.sorted() == names.sorted())
    }

    @Test func goodVectorsMeanWhatTheirTextSays() throws {
        for vector in try BatchVectors.all where vector.meaning["error"] == nil {
            let batch = try decode(vector.bytes)
            let events = JSONValue.array(batch.events().map(\.json))
            #expect(events == vector.meaning["events"], "\(vector.name)")
            if vector.meaning["codec"] == "raw" {
                #expect(NaiveBatch.events(vector.bytes) == batch.events(), "\(vector.name)")
            }
        }
    }

    @Test func canonicalVectorsEncodeToTheirBytes() throws {
        for vector in try BatchVectors.all where vector.meaning["canonical"] == true {
            let bytes = try encode(try decode(vector.bytes).events().reversedValues, .raw)
            #expect(bytes == vector.bytes, "\(vector.name)")
        }
    }

    @Test func badVectorsAreRefusedForTheirReason() throws {
        for vector in try BatchVectors.all {
            guard let expected = vector.meaning["error"]?.asString else { continue }
            do {
                _ = try decode(vector.bytes)
                Issue.record("\(vector.name) was taken")
            } catch {
                #expect("\(error)".prefix { $0 != "(" } == expected, "\(vector.name): \(error)")
            }
            #expect(NaiveBatch.events(vector.bytes) == nil, "\(vector.name)")
        }
    }

    @Test func unknownColumnsAreKeptVerbatim() throws {
        let vector = try #require(try BatchVectors.all.first { $0.name == "unknown_columns" })
        let batch = try decode(vector.bytes)
        let expected = [
            Batch.UnknownColumn(kind: 9, bytes: [1, 2, 3]), Batch.UnknownColumn(kind: 200, bytes: []),
        ]
        #expect(batch.unknownColumns == expected)
    }
}

extension [Event] {
    fileprivate var reversedValues: [Event] {
        map { event in
            var other = event
            other.values.reverse()
            return other
        }
    }
}
