/// Who a server is over TLS: a certificate, with those between it and its root behind it, and its key.
package struct TLSIdentity: Sendable {
    private let certificate: [UInt8]
    private let key: [UInt8]

    /// - Parameters: PEM texts (RFC 7468).
    package init(certificatePEM: [UInt8], keyPEM: [UInt8]) {
        certificate = certificatePEM
        key = keyPEM
    }

    /// Lends both as C strings; libmicrohttpd has parsed them when its start returns.
    static func withTexts<Result>(
        of identity: TLSIdentity?, _ body: (UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Result
    ) -> Result {
        guard let identity else { return body(nil, nil) }
        let certificate = (identity.certificate + [0]).map { CChar(bitPattern: $0) }
        let key = (identity.key + [0]).map { CChar(bitPattern: $0) }
        // Safe: both end with zero and are lent for the call.
        return unsafe certificate.withUnsafeBufferPointer { certificate in
            unsafe key.withUnsafeBufferPointer { key in unsafe body(certificate.baseAddress, key.baseAddress) }
        }
    }
}
