import Bytes
import Events
import Files
import TestSupport
import Testing

@testable import Table

/// Whatever operation of a publish fails, a rerun ends with each event once: protocol/table.md §6.
@Suite struct PublishFaultTests {
    enum Kind { case error, crash }
    enum Meanwhile { case nothing, moreArrives, smallerSlices }

    /// Every operation but the writes, which are many and alike.
    @Test(arguments: [
        (Kind.error, Meanwhile.moreArrives), (.crash, .nothing), (.crash, .moreArrives), (.crash, .smallerSlices),
    ])
    func anyFailureIsMadeGoodByARerun(kind: Kind, meanwhile: Meanwhile) throws {
        for ordinal in 0... {
            let faulty = FaultyDisk(failing: ordinal, kind: kind == .crash ? .crash : .error(28)) { $0 != .write }
            guard try run(faulty, meanwhile, "operation \(ordinal), \(kind), \(meanwhile)") else {
                #expect(ordinal > 60, "a publish has many operations")
                return
            }
        }
    }

    @Test func aFileThatWasWrittenInPartIsReplaced() throws {
        for ordinal in stride(from: 0, through: .max, by: 3) {
            let faulty = FaultyDisk(failing: ordinal, kind: .shortWrite(11)) { $0 == .write }
            guard try run(faulty, .moreArrives, "write \(ordinal)") else {
                #expect(ordinal > 100, "a publish has many writes")
                return
            }
        }
    }

    /// - Returns: whether the fault happened.
    private func run(_ faulty: FaultyDisk, _ meanwhile: Meanwhile, _ context: String) throws -> Bool {
        let fixture = try TableFixture()
        try fixture.commit([Self.shipment()])
        _ = try fixture.publisher().publish(through: .max)
        for source in TableFixture.sources { try fixture.commit([Self.shipment(source)]) }
        let longLived = fixture.reader()
        #expect(difference(try longLived.snapshot().rows(), fixture.expectedRows()) == nil, "\(context)")
        do {
            _ = try fixture.publisher(faulty.disk).publish(through: .max)
        } catch let error as FileError {
            #expect(faulty.didFail, "\(context): \(error)")
        }
        func check(_ step: String) throws {
            for reader in [longLived, fixture.reader()] {
                #expect(difference(try reader.snapshot().rows(), fixture.expectedRows()) == nil, "\(context), \(step)")
            }
        }
        try check("after the fault")
        if meanwhile == .moreArrives { try fixture.commit([Self.shipment()]) }
        let rerun = fixture.publisher(sliceRows: meanwhile == .smallerSlices ? 1 : 1 << 20)
        let report = try rerun.publish(through: .max) { _ in
            do { try fixture.checkSiblings("\(context), between slices") } catch { Issue.record(error) }
        }
        #expect(report.lastRecord == fixture.writer.lastSequence, "\(context)")
        try fixture.checkSiblings("\(context), after the rerun")
        try check("after the rerun")
        return faulty.didFail
    }

    /// Two of one id, one identity, two days, one event kept aside.
    private static func shipment(_ source: SourceID = TableFixture.sources[0]) -> Shipment {
        var events = TableEvents.few + TableEvents.few.suffix(1)
        events[0].eventID = EventID(bytes: [UInt8](repeating: 7, count: 16))
        events[1].type = "$set_traits"
        events[1].values = [EventValue(.trait, "plan", .string("pro"))]
        events[2].timestampMicros += TableEvents.dayMicros
        return Shipment(events: events, source: source, quarantined: [3: .missingProperty])
    }
}
