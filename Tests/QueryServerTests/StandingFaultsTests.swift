import Files
import Testing

@testable import QueryServer

@Suite struct StandingFaultsTests {
    @Test func aFaultIsNewsOnceUntilItIsAnotherOneOrOver() {
        let faults = StandingFaults()
        let missing = FileError(.open, "a", code: 2)
        #expect(faults.isNew(missing, of: "shop") && !faults.isNew(missing, of: "shop"))
        #expect(faults.isNew(missing, of: "blog"))
        #expect(faults.isNew(FileError(.open, "a", code: 5), of: "shop") && faults.isNew(missing, of: "shop"))
        #expect(faults.end(of: "shop") && !faults.end(of: "shop"))
        #expect(faults.isNew(missing, of: "shop") && !faults.isNew(missing, of: "blog"))
    }
}
