import Bytes
import Crypto
import Files
import Glibc
import Gzip
import HTTPServer

/// The page's files: read once, at the start, and served from memory.
struct PageAssets: Sendable {
    /// One file, ready to be sent.
    struct Asset: Sendable {
        /// From the root: `/app/main.js`.
        let path: String
        let contentType: String
        let body: [UInt8]
        let compressed: [UInt8]
        /// With quotes.
        let etag: String

        init(path: String, contentType: String, body: [UInt8]) {
            self.path = path
            self.contentType = contentType
            self.body = body
            compressed = Gzip.compress(body, .best)
            etag = "\"" + Hex.encode(Array(SHA256.hash(body).prefix(16))) + "\""
        }
    }

    /// Where Debian's package libjs-chart.js puts it.
    static let chartFile = "/usr/share/javascript/chart.js/chart.min.js"
    private static let chartPath = "/vendor/chart.js"
    private static let byteCountMax = 16 << 20

    let assets: [Asset]
    /// What is missing, for the log.
    let warnings: [String]

    /// - Parameters:
    ///   - folder: the page's; `index.html` in it is served as `/`.
    ///   - chartFile: served as `/vendor/chart.js`.
    init(folder: String, chartFile: String, disk: Disk) throws {
        var assets: [Asset] = []
        var warnings: [String] = []
        if disk.exists(folder) { assets = try Self.read(folder, under: "/", disk) }
        if assets.isEmpty { warnings.append("\(folder): the page is not there, only the API is served") }
        if let text = try disk.contentsIfPresent(chartFile, limit: Self.byteCountMax) {
            assets.append(Asset(path: Self.chartPath, contentType: "text/javascript; charset=utf-8", body: text))
        } else {
            warnings.append("\(chartFile) is not there, so the page draws no charts: \(Self.chartAdvice)")
        }
        self.assets = assets
        self.warnings = warnings
    }

    private static let chartAdvice = "install the package libjs-chart.js and start again"

    /// One route an asset, and one that says why there is no Chart.js.
    var routes: [Route] {
        let missing =
            assets.contains { $0.path == Self.chartPath }
            ? []
            : [
                Route(.get, PathPattern(Self.chartPath), .open, on: .immediate, nil) { _ in
                    throw Problem(
                        status: 404, code: "not_found", message: "Chart.js is not on this server: \(Self.chartAdvice)")
                }
            ]
        return missing
            + assets.map { asset in
                Route(.get, PathPattern(asset.path), .open, on: .immediate, nil) { $0.request.answer(with: asset) }
            }
    }

    private static func read(_ folder: String, under path: String, _ disk: Disk) throws -> [Asset] {
        var assets: [Asset] = []
        for name in try disk.list(folder) where !name.hasPrefix(".") {
            do throws(FileError) {
                _ = try disk.list(folder + "/" + name)
            } catch {
                guard error.code == ENOTDIR else { throw error }
                let body = try disk.contents(folder + "/" + name, limit: byteCountMax)
                let served = path == "/" && name == "index.html" ? "/" : path + name
                assets.append(Asset(path: served, contentType: contentType(name), body: body))
                continue
            }
            assets += try read(folder + "/" + name, under: path + name + "/", disk)
        }
        return assets
    }

    private static func contentType(_ name: String) -> String {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "js", "mjs": "text/javascript; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "svg": "image/svg+xml"
        case "json", "webmanifest": "application/json"
        case "png": "image/png"
        case "ico": "image/x-icon"
        case "woff2": "font/woff2"
        case "txt", "md": "text/plain; charset=utf-8"
        default: "application/octet-stream"
        }
    }
}

extension HTTPRequest {
    fileprivate func answer(with asset: PageAssets.Asset) -> HTTPResponse {
        let isCompressed = takesGzip && asset.compressed.count < asset.body.count
        let etag = isCompressed ? String(asset.etag.dropLast()) + "-gzip\"" : asset.etag
        var headers = HTTPHeaders([("ETag", etag), ("Cache-Control", "no-cache"), ("Vary", "Accept-Encoding")])
        guard !has(etag) else { return HTTPResponse(status: 304, headers: headers, body: []) }
        headers.append("Content-Type", asset.contentType)
        if isCompressed { headers.append("Content-Encoding", "gzip") }
        return HTTPResponse(status: 200, headers: headers, body: isCompressed ? asset.compressed : asset.body)
    }
}
