import Config
import Testing

@Suite struct QuantityTests {
    @Test(arguments: [
        ("5", Duration.seconds(5)), ("500ms", .milliseconds(500)), ("5s", .seconds(5)), ("15m", .seconds(900)),
        ("2 h", .seconds(7200)), ("30d", .seconds(2_592_000)), ("1w", .seconds(604_800)), ("0", .zero),
    ])
    func timesAreRead(text: String, expected: Duration) {
        #expect(Quantity.duration(text) == expected)
    }

    @Test(arguments: ["", "s", "-5s", "+5", "1.5h", "5 minutes", "5S", "5  s", "9223372036854775807d", "٥s", "5s "])
    func whatIsNoTimeIsRefused(text: String) {
        #expect(Quantity.duration(text) == nil)
    }

    @Test(arguments: [
        ("4096", 4096), ("1B", 1), ("4 KiB", 4096), ("64 MiB", 64 << 20), ("64MiB", 64 << 20), ("2 GiB", 2 << 30),
        ("1 TiB", 1 << 40), ("5 kB", 5000), ("5 MB", 5_000_000), ("5 GB", 5_000_000_000),
    ])
    func sizesAreRead(text: String, expected: Int) {
        #expect(Quantity.byteCount(text) == expected)
    }

    @Test(arguments: ["", "MiB", "-1", "64 mib", "64 M", "1.5 GiB", "9223372036854775807 KiB", "1e3"])
    func whatIsNoSizeIsRefused(text: String) {
        #expect(Quantity.byteCount(text) == nil)
    }

    @Test(arguments: ["", ":", "host", "host:", ":80", "host:65536", "host:-1", "::1:80", "[]:80", "host:http"])
    func whatIsNoAddressIsRefused(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
