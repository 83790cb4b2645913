import Foundation
import HTTPServer
import TestSupport
import Testing

/// TLS by certificates that openssl makes, judged by curl and by openssl's client.
@Suite struct TLSTests {
    private static let limits = HTTPLimits(
        threadCount: 1, bodyBytesMax: 100_000, headerBytesMax: 16_384, connectionsMax: 50,
        connectionsPerAddressMax: nil, timeoutSeconds: 20)
    private let folder = TemporaryFolder()

    private func run(_ arguments: String...) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    /// - Returns: the paths of a certificate for the loopback, signed by itself, and its key.
    private func makeIdentity(_ name: String) throws -> (certificate: String, key: String) {
        let (certificate, key) = (folder(name + ".pem"), folder(name + ".key"))
        let made = try run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key,
            "-out", certificate)
        #expect(made.status == 0, "\(made.text)")
        return (certificate, key)
    }

    private func serve(
        certificate: String, key: String, handler: @escaping HTTPServer.Handler
    ) throws -> HTTPServer {
        let identity = TLSIdentity(
            certificatePEM: Array(try Data(contentsOf: URL(fileURLWithPath: certificate))),
            keyPEM: Array(try Data(contentsOf: URL(fileURLWithPath: key))))
        let socket = try HTTPListener(host: "127.0.0.1", port: 0)
        return try HTTPServer(socket, identity: identity, limits: Self.limits, handler: handler)
    }

    @Test func aClientThatTrustsTheCertificateIsAnswered() throws {
        let (certificate, key) = try makeIdentity("a")
        let server = try serve(certificate: certificate, key: key) { request, responder in
            // Later, so that the connection is suspended meanwhile.
            DispatchQueue.global().asyncAfter(deadline: .now() + 0.1) {
                for _ in 0..<3 { _ = responder.isClientGone }
                responder.respond(.text("\(request.method) \(request.path) \(request.body.count)"))
            }
        }
        defer { server.stop() }
        let url = "https://localhost:\(server.boundPort)/x"
        for version in ["--tlsv1.2", "--tlsv1.3"] {
            let body = String(repeating: "b", count: 50_000)
            let answer = try run("curl", "-sS", "--http1.1", "--cacert", certificate, version, "-d", body, url)
            #expect(answer.text == "POST /x 50000", "\(version)")
        }
        let plain = try run("curl", "-sS", "http://localhost:\(server.boundPort)/x")
        #expect(plain.status != 0)
        let stranger = try run("curl", "-sS", url)
        #expect(stranger.status == 60)  // curl's code for a certificate that it does not trust
    }

    @Test func aStreamIsSentOverTLS() throws {
        let (certificate, key) = try makeIdentity("a")
        let server = try serve(certificate: certificate, key: key) { _, responder in
            let stream = HTTPBodyStream()
            responder.respond(HTTPResponse(status: 200, headers: HTTPHeaders(), body: [], stream: stream))
            DispatchQueue.global().async {
                for number in 0..<10 {
                    usleep(5000)
                    stream.write(Array("\(number),".utf8))
                }
                stream.close()
            }
        }
        defer { server.stop() }
        let answer = try run("curl", "-sS", "--cacert", certificate, "https://localhost:\(server.boundPort)/")
        #expect(answer.text == "0,1,2,3,4,5,6,7,8,9,")
    }

    @Test func olderVersionsAreRefused() throws {
        let (certificate, key) = try makeIdentity("a")
        let server = try serve(certificate: certificate, key: key) { $1.respond(.text("no")) }
        defer { server.stop() }
        func shake(_ version: String) throws -> String {
            try run(
                "openssl", "s_client", "-connect", "127.0.0.1:\(server.boundPort)", version, "-cipher",
                "DEFAULT@SECLEVEL=0"
            ).text
        }
        for version in ["-tls1", "-tls1_1"] {
            let text = try shake(version)
            #expect(text.contains("Cipher is (NONE)"), "\(version)")
            // The refusal is the server's: a client that cannot speak so would send nothing.
            #expect(text.contains("bytes and written") && !text.contains("written 0 bytes"), "\(version)")
        }
        #expect(!(try shake("-tls1_2").contains("Cipher is (NONE)")))
    }

    @Test func whatIsNoPairIsRefusedAtTheStart() throws {
        let first = try makeIdentity("a")
        let second = try makeIdentity("b")
        for (certificate, key) in [
            (first.certificate, second.key), (first.key, first.key), (first.certificate, first.certificate),
        ] {
            let error = #expect(throws: HTTPServerError.self) {
                try serve(certificate: certificate, key: key) { $1.respond(.text("no")) }
            }
            #expect("\(error.map { "\($0)" } ?? "")".contains("certificate"))
        }
    }
}
