import Bytes

/// What a sender has not had a fate for, in order of sequence, without holes. The first `sentCount` are on the wire.
struct SendQueue: Sendable {
    enum Content: Sendable {
        case batch([UInt8], fingerprint: UInt64)
        case skip(SkipReason)
    }

    struct Item: Sendable {
        /// nil: a skip the session made by itself.
        var ticket: UInt64?
        var base: UInt64
        var count: UInt64
        var content: Content
        var verdicts: [Verdict] = []

        var last: UInt64 { base + count - 1 }

        /// What the server lists if it has this.
        var recognised: BatchFingerprint {
            switch content {
            case .batch(_, let fingerprint): BatchFingerprint(base: base, count: count, fingerprint: fingerprint)
            case .skip: BatchFingerprint(base: base, count: count, fingerprint: 0)
            }
        }

        var byteCount: Int {
            switch content {
            case .batch(let bytes, _): bytes.count
            case .skip: 0
            }
        }
    }

    private(set) var items: [Item] = []
    private(set) var sentCount = 0
    private(set) var sentBytes = 0
    /// The sequence of the next event.
    private(set) var nextBase: UInt64 = 1
    private var nextTicket: UInt64 = 1

    /// The next to be sent.
    var next: Item? { sentCount < items.count ? items[sentCount] : nil }

    mutating func append(_ content: Content, count: UInt64) -> UInt64 {
        let ticket = nextTicket
        items.append(Item(ticket: ticket, base: nextBase, count: count, content: content))
        nextTicket += 1
        nextBase += count
        return ticket
    }

    mutating func markSent() {
        sentBytes += items[sentCount].byteCount
        sentCount += 1
    }

    mutating func rewindAll() { rewind(to: 0) }

    mutating func rewind(to index: Int) {
        sentCount = min(sentCount, index)
        sentBytes = items[0..<sentCount].reduce(0) { $0 + $1.byteCount }
    }

    /// The index of the item that begins at `sequence`; the count if it is the next to be enqueued.
    func index(beginningAt sequence: UInt64) -> Int? {
        sequence == nextBase ? items.count : items.firstIndex { $0.base == sequence }
    }

    /// Keeps each verdict with the batch it is about. O(verdicts × items on the wire).
    mutating func record(_ verdicts: [Verdict]) {
        for verdict in verdicts {
            guard let index = items.firstIndex(where: { $0.base <= verdict.sequence && verdict.sequence <= $0.last })
            else { continue }
            items[index].verdicts.append(verdict)
        }
    }

    /// Takes what lies wholly within `durable` and is on the wire. O(n).
    mutating func takeDurable(upTo durable: UInt64) -> [Item] {
        let taken = Array(items[0..<sentCount].prefix { $0.last <= durable })
        remove(first: taken.count)
        return taken
    }

    /// Takes those that `isSettled`, wherever they stand, which leaves holes: `restart` must follow unless they are a
    /// prefix.
    mutating func take(where isSettled: (Item) -> Bool) -> [Item] {
        precondition(sentCount == 0, "nothing is on the wire")
        let taken = items.filter(isSettled)
        items.removeAll(where: isSettled)
        return taken
    }

    private mutating func remove(first count: Int) {
        for item in items[0..<count] { sentBytes -= item.byteCount }
        items.removeFirst(count)
        sentCount -= count
    }

    /// Accounts for sequences from `base` to the oldest item, which had their fate before.
    mutating func insertAcknowledgedBefore(from base: UInt64) {
        let oldest = items.first?.base ?? nextBase
        precondition(base < oldest, "something is missing")
        rewindAll()
        let skip = Content.skip(.acknowledgedBefore)
        items.insert(Item(ticket: nil, base: base, count: oldest - base, content: skip), at: 0)
    }

    /// The next to be sent is never sent: its sequences are skipped.
    mutating func dropNext() {
        items[sentCount].content = .skip(.droppedBySender)
        items[sentCount].ticket = nil
    }

    /// Numbers everything anew from 1, for a new source. The batches' bytes stay the same.
    mutating func restart() {
        rewindAll()
        items.removeAll { $0.ticket == nil }
        nextBase = 1
        for index in items.indices {
            items[index].base = nextBase
            items[index].verdicts = []
            nextBase += items[index].count
        }
    }
}
