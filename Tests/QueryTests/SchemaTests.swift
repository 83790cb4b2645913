import Bytes
import Files
import JSON
import Testing

@testable import Query

/// protocol/query.schema.json and the code must tell the same.
@Suite struct SchemaTests {
    private func definitions() throws -> JSONValue {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let text = try Disk.posix.contents(root + "/protocol/query.schema.json")
        let schema = try JSONValue(parsing: text)
        #expect(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema")
        return try #require(schema["$defs"])
    }

    private func names(_ value: JSONValue?) -> Set<String> {
        Set(value?.asObject?.members.map(\.name) ?? value?.asArray?.compactMap(\.asString) ?? [])
    }

    @Test func theSchemasWordsAreTheLanguagesWords() throws {
        let definitions = try definitions()
        for (kind, own) in Question.ownMembers {
            #expect(names(definitions[kind]?["properties"]) == Set(Question.members + own), "\(kind)")
        }
        #expect(names(definitions["operator"]?["enum"]) == Set(FilterReader.operators))
        let outcomes = names(definitions["funnel"]?["properties"]?["users_at"]?["properties"]?["outcome"]?["enum"])
        #expect(outcomes == Set(FunnelQuestion.UsersAt.Outcome.allCases.map(\.rawValue)))
        let comparisons = names(definitions["times"]?["propertyNames"]?["enum"])
        #expect(comparisons == Set(SegmentQuestion.Times.Comparison.allCases.map(\.rawValue)))
        let types = names(definitions["metric"]?["oneOf"]?[2]?["properties"]?["type"]?["enum"])
        #expect(types.union(["count"]) == Set(AggregateQuestion.metricTypes))
        let units = names(definitions["column"]?["oneOf"]?[1]?["properties"]?["time"]?["enum"])
        #expect(units == Set(AggregateQuestion.units.map(\.rawValue)))
        let fields = names(definitions["field"]?["anyOf"]?[0]?["enum"])
        #expect(fields == Set(Field.allowed.filter { !$0.contains("<") }))
    }

    @Test func everyReferenceHasItsDefinition() throws {
        let definitions = try definitions()
        func check(_ value: JSONValue) {
            if let reference = value["$ref"]?.asString {
                #expect(definitions[String(reference.dropFirst("#/$defs/".count))] != nil, "\(reference)")
            }
            for member in value.asObject?.members ?? [] { check(member.value) }
            for element in value.asArray ?? [] { check(element) }
        }
        check(definitions)
    }
}
