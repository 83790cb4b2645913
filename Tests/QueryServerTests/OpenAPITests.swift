import JSON
import Testing

@testable import QueryServer

@Suite struct OpenAPITests {
    private func document() async throws -> (ServedFolder, JSONValue) {
        let served = try ServedFolder()
        let reply = try await served.send("GET", "/openapi.json")
        #expect(reply.status == 200 && reply.headers["content-type"] == "application/json")
        return (served, try #require(reply.json))
    }

    private func operations(_ document: JSONValue) -> [(path: String, method: String, operation: JSONValue)] {
        (document["paths"]?.asObject?.members ?? []).flatMap { path in
            (path.value.asObject?.members ?? []).map { (path.name, $0.name, $0.value) }
        }
    }

    @Test func everyReferencePointsSomewhere() async throws {
        let (_, document) = try await document()
        var references = Set<String>()
        func gather(_ value: JSONValue) {
            for member in value.asObject?.members ?? [] {
                gather(member.value)
                if member.name == "$ref", let target = member.value.asString { references.insert(target) }
            }
            for element in value.asArray ?? [] { gather(element) }
        }
        gather(document)
        #expect(references.contains("#/components/schemas/Question") && references.count > 10)
        let prefix = "#/components/schemas/"
        for reference in references {
            #expect(reference.hasPrefix(prefix), "\(reference)")
            let schema = document["components"]?["schemas"]?[String(reference.dropFirst(prefix.count))]
            #expect(schema != nil, "\(reference)")
        }
    }

    @Test func whatIsDescribedIsServedAsDescribed() async throws {
        let (served, document) = try await document()
        let operations = operations(document)
        #expect(operations.count > 20)
        let names = operations.compactMap { $0.operation["operationId"]?.asString }
        #expect(Set(names).count == operations.count)
        for (path, method, operation) in operations where path != "/v1/live" {
            let needed = path.matches(of: /\{([a-z_]+)\}/).map { String($0.output.1) }
            let parameters = operation["parameters"]?.asArray ?? []
            let described = parameters.filter { $0["in"]?.asString == "path" }.compactMap { $0["name"]?.asString }
            #expect(needed == described, "\(method) \(path)")
            let url = path.replacing(/\{[a-z_]+\}/, with: "x")
            let isOpen = operation["security"] == []
            // Without a token, and with one.
            for headers in [[:], ["Authorization": "Bearer " + (try served.token("admin"))]] {
                let reply = try await served.send(method.uppercased(), url, headers)
                #expect(operation["responses"]?["\(reply.status)"] != nil, "\(method) \(path): \(reply.status)")
                #expect((reply.status == 401) == (headers.isEmpty && !isOpen) || isOpen, "\(method) \(path)")
                #expect(reply.status < 500, "\(method) \(path): \(reply.status)")
            }
        }
    }

    @Test func bodiesNameEveryMemberThatIsTaken() async throws {
        let (served, document) = try await document()
        let body = document["paths"]?["/v1/sessions"]?["post"]?["requestBody"]?["content"]?["application/json"]
        #expect(body?["schema"]?["oneOf"]?[0]?["additionalProperties"] == false)
        let reply = try await served.send("POST", "/v1/sessions", [:], #"{"token":"a","more":1}"#)
        #expect(reply.status == 400)
    }

    @Test func theGrammarOfQuestionsIsServed() async throws {
        let served = try ServedFolder()
        let reply = try await served.send("GET", "/v1/query.schema.json")
        #expect(reply.status == 200 && reply.headers["content-type"] == "application/schema+json")
        #expect(reply.json?["$defs"]?["aggregate"] != nil)
        let etag = try #require(reply.headers["etag"])
        #expect(try await served.send("GET", "/v1/query.schema.json", ["If-None-Match": etag]).status == 304)
    }

    @Test func namesAndValuesAreListedWithWhatPeopleWrote() async throws {
        let served = try ServedFolder()
        try served.commit("click", user: "u", micros: 1_700_000_000_000_000)
        let body = #"{"description":"a press of a button","hidden":true}"#
        #expect(try await served.request("PUT", "/v1/events/names/click", body).0 == 200)
        let (status, json) = try await served.request("GET", "/v1/events/names")
        #expect(status == 200 && json?["events"]?[0]?["name"]?.asString == "click")
        #expect(json?["events"]?[0]?["description"]?.asString == "a press of a button")
        #expect(json?["events"]?[0]?["hidden"] == true && json?["events"]?[0]?["count"]?.asInteger == 1)
        let headers = ["Authorization": "Bearer " + (try served.token())]
        let tag = try #require(try await served.send("GET", "/v1/events/names", headers).headers["etag"])
        let known = headers.merging(["If-None-Match": tag]) { $1 }
        #expect(try await served.send("GET", "/v1/events/names", known).status == 304)
        _ = try await served.request("PUT", "/v1/events/names/click", #"{"description":"b"}"#)
        #expect(try await served.send("GET", "/v1/events/names", known).status == 200)
        let properties = try await served.request("GET", "/v1/properties?event_type=click")
        #expect(properties.0 == 200 && properties.1?["event_count"]?.asInteger == 1)
        let bad = try await served.request("GET", "/v1/properties?start=never")
        #expect(bad.0 == 400 && bad.1?["error"]?["path"]?.asString == "start")
    }
}
