import Files
import Gzip
import TestSupport
import Testing

@testable import QueryServer

@Suite struct PageAssetsTests {
    @Test func aFolderIsServedWithItsTypes() throws {
        let folder = TemporaryFolder()
        try Disk.posix.makeFolder(folder("Page/app/styles"))
        let files = [
            "index.html": "text/html; charset=utf-8", "app/main.js": "text/javascript; charset=utf-8",
            "app/styles/a.css": "text/css; charset=utf-8", "app/icon.svg": "image/svg+xml",
        ]
        for name in files.keys { try Disk.posix.replace(folder("Page/" + name), with: Array(name.utf8)) }
        let page = try PageAssets(folder: folder("Page"), chartFile: folder("none"), disk: .posix)
        #expect(page.warnings.count == 1 && page.warnings[0].contains("libjs-chart.js"))
        var found: [String: String] = [:]
        for asset in page.assets { found[asset.path] = asset.contentType }
        #expect(found["/"] == files["index.html"])
        for (name, type) in files where name != "index.html" { #expect(found["/" + name] == type) }
        #expect(found.count == files.count && Set(page.assets.map(\.etag)).count == files.count)
        let missing = try #require(page.routes.first { $0.path.text == "/vendor/chart.js" })
        #expect(missing.admission == .open)
    }

    @Test func withoutAFolderOnlyTheAPIIsServed() throws {
        let folder = TemporaryFolder()
        let page = try PageAssets(folder: folder("none"), chartFile: folder("none"), disk: .posix)
        #expect(page.assets.isEmpty && page.warnings.count == 2)
    }

    @Test func thePageIsFoundBesideTheProgramAndSentAgainOnlyIfItChanged() async throws {
        let served = try ServedFolder()
        let page = try await served.send("GET", "/")
        #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
        let etag = try #require(page.headers["etag"])
        #expect(!etag.hasPrefix("W/"))
        let again = try await served.send("GET", "/", ["If-None-Match": "\"x\", \(etag)"])
        #expect(again.status == 304 && again.body.isEmpty && again.headers["etag"] == etag)
        #expect(try await served.send("GET", "/", ["If-None-Match": "\"x\""]).status == 200)
        #expect(try await served.send("GET", "/index.html").status == 404)
        #expect(try await served.send("GET", "/app/../index.html").status == 404)
        #expect(try await served.send("GET", "/%2e%2e/QueryDaemon.swift").status == 404)
        #expect(try await served.send("POST", "/", [:], "").status == 405)
        #expect(try await served.send("HEAD", "/").body.isEmpty)
    }

    @Test func aCompressedFormHasATagOfItsOwn() throws {
        let body = Array(String(repeating: "abc ", count: 1000).utf8)
        let asset = PageAssets.Asset(path: "/a", contentType: "text/plain", body: body)
        #expect(try Gzip.inflate(asset.compressed, limit: body.count) == body)
        #expect(asset.compressed.count < 100)
    }
}
