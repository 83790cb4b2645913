/// How the log keeps the state of its sources without knowing what it is: the owner loads, follows and saves it.
///
/// The state that is saved covers exactly the records that are durable.
package struct SourceState {
    /// Takes up a checkpoint's bytes; called first, and not at all for a new log.
    package var load: ([UInt8]) throws -> Void
    /// Takes up one durable record's directory.
    package var apply: (Record) throws -> Void
    /// The checkpoint of the state as of the last durable record.
    package var save: () -> [UInt8]

    package init(load: @escaping ([UInt8]) throws -> Void, apply: @escaping (Record) throws -> Void,
        save: @escaping () -> [UInt8]) {
        self.load = load
        self.apply = apply
        self.save = save
    }

    /// For logs whose owner keeps no sources: tools and tests.
    package static var none: SourceState { SourceState(load: { _ in }, apply: { _ in }, save: { [] }) }
}
