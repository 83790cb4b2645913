import CYAML

/// One value of a YAML document and where it stands. Mappings keep their order and have text keys only, each once;
/// aliases stand for a copy of what they name.
package struct YAMLNode: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package let key: String
        /// Of the key, counted from 1.
        package let line: Int
        package let value: YAMLNode
    }

    package enum Content: Sendable, Equatable {
        /// `isPlain`: written without quotes and not as a block.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    /// Bytes of a document, at most.
    package static let byteCountMax = 1 << 20
    /// Nodes within nodes, at most.
    package static let depthMax = 32
    /// Nodes of a document, at most, aliases expanded.
    package static let nodeCountMax = 100_000

    package let content: Content
    /// Counted from 1.
    package let line: Int
    /// Counted from 1.
    package let column: Int

    /// A missing value: nothing, `~` or `null` without quotes.
    package var isNull: Bool {
        if case .scalar(let text, isPlain: true) = content { ["", "~", "null"].contains(text) } else { false }
    }

    /// The value of a mapping's key; nil if there is none or this is no mapping. O(entries).
    package subscript(key: String) -> YAMLNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// Parses the only document of a YAML 1.1 text.
    /// - Parameter file: the name that errors bear.
    /// - Returns: nil if the text holds no document.
    /// - Throws: `ConfigError`: syntax, unsupported, duplicate keys or a limit.
    package static func parse(_ text: [UInt8], file: String) throws(ConfigError) -> YAMLNode? {
        guard text.count <= byteCountMax else {
            throw ConfigError(file: file, line: nil, problem: .overLimit(what: "bytes", limit: byteCountMax))
        }
        var composer = YAMLComposer(YAMLEvents(text, file: file))
        return try composer.document()
    }
}

/// Builds nodes from events.
private struct YAMLComposer {
    private let events: YAMLEvents
    /// What an alias may name, and how many nodes that is.
    private var anchors: [String: (node: YAMLNode, nodeCount: Int)] = [:]
    private var nodeCount = 0

    init(_ events: YAMLEvents) { self.events = events }

    mutating func document() throws(ConfigError) -> YAMLNode? {
        let first = try events.next()
        if case .end = first.kind { return nil }
        let root = try node(first, depth: 0)
        let last = try events.next()
        guard case .end = last.kind else { throw events.error(last.line, .unsupported("several documents")) }
        return root
    }

    private mutating func node(_ event: YAMLEvents.Event, depth: Int) throws(ConfigError) -> YAMLNode {
        guard depth < YAMLNode.depthMax else {
            throw events.error(event.line, .overLimit(what: "depth", limit: YAMLNode.depthMax))
        }
        let countBefore = nodeCount
        try count(1, event)
        let content: YAMLNode.Content
        switch event.kind {
        case .alias(let name):
            guard let anchored = anchors[name] else {
                throw events.error(event.line, .syntax("unknown alias *\(name)"))
            }
            try count(anchored.nodeCount, event)
            return anchored.node
        case .scalar(let text, let isPlain): content = .scalar(text, isPlain: isPlain)
        case .sequenceStart: content = .sequence(try sequence(depth))
        case .mappingStart: content = .mapping(try mapping(depth))
        // The library has its events in order: a value never starts with one of these.
        case .containerEnd, .end: throw events.error(event.line, .syntax("value expected"))
        }
        let node = YAMLNode(content: content, line: event.line, column: event.column)
        if let anchor = event.anchor { anchors[anchor] = (node, nodeCount - countBefore) }
        return node
    }

    private mutating func sequence(_ depth: Int) throws(ConfigError) -> [YAMLNode] {
        var elements: [YAMLNode] = []
        while true {
            let event = try events.next()
            if case .containerEnd = event.kind { return elements }
            elements.append(try node(event, depth: depth + 1))
        }
    }

    private mutating func mapping(_ depth: Int) throws(ConfigError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var keys: Set<[UInt8]> = []
        while true {
            let event = try events.next()
            if case .containerEnd = event.kind { return entries }
            guard case .scalar(let key, _) = try node(event, depth: depth + 1).content else {
                throw events.error(event.line, .unsupported("keys that are not text"))
            }
            guard keys.insert(Array(key.utf8)).inserted else { throw events.error(event.line, .duplicateKey(key)) }
            let value = try node(try events.next(), depth: depth + 1)
            entries.append(YAMLNode.Entry(key: key, line: event.line, value: value))
        }
    }

    private mutating func count(_ more: Int, _ event: YAMLEvents.Event) throws(ConfigError) {
        nodeCount += more
        guard nodeCount <= YAMLNode.nodeCountMax else {
            throw events.error(event.line, .overLimit(what: "nodes", limit: YAMLNode.nodeCountMax))
        }
    }
}

/// libyaml's parser, one event at a time.
@safe
private final class YAMLEvents {
    struct Event {
        enum Kind {
            case scalar(String, isPlain: Bool)
            case alias(String)
            case sequenceStart, mappingStart, containerEnd
            /// A document's start after the first, or the stream's end.
            case end
        }
        let kind: Kind
        let anchor: String?
        let line: Int
        let column: Int
    }

    private let file: String
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private var documentCount = 0
    private var isStreamOver = false

    init(_ text: [UInt8], file: String) {
        self.file = file
        // Safe: both live until deinit; the parser reads the input and nothing beyond it.
        unsafe input = .allocate(capacity: text.count)
        _ = unsafe input.initialize(fromContentsOf: text)
        unsafe parser = .allocate(capacity: 1)
        let status = unsafe yaml_parser_initialize(parser)
        precondition(status == 1, "libyaml has no memory")
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        // Safe: made in init, freed once, the parser before what it reads.
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    func error(_ line: Int, _ problem: ConfigError.Problem) -> ConfigError {
        ConfigError(file: file, line: line, problem: problem)
    }

    /// The next event that says something.
    func next() throws(ConfigError) -> Event {
        while true {
            guard !isStreamOver else { return Event(kind: .end, anchor: nil, line: 1, column: 1) }
            var event = unsafe yaml_event_t()
            // Safe: the parser fills the event, and the event owns what it points to until it is deleted.
            guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw syntaxError() }
            defer { unsafe yaml_event_delete(&event) }
            if let translated = unsafe try translate(event) { return translated }
        }
    }

    private func translate(_ event: yaml_event_t) throws(ConfigError) -> Event? {
        let line = unsafe event.start_mark.line + 1
        var kind = Event.Kind.end
        var anchor: UnsafeMutablePointer<yaml_char_t>?
        var tag: UnsafeMutablePointer<yaml_char_t>?
        // Safe: the type says which member of the union is set.
        switch unsafe event.type {
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            unsafe (anchor, tag) = unsafe (scalar.anchor, scalar.tag)
            let text = unsafe String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            kind = .scalar(text, isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE)
        case YAML_ALIAS_EVENT: kind = .alias(unsafe Self.text(event.data.alias.anchor) ?? "")
        case YAML_SEQUENCE_START_EVENT:
            unsafe (anchor, tag) = unsafe (event.data.sequence_start.anchor, event.data.sequence_start.tag)
            kind = .sequenceStart
        case YAML_MAPPING_START_EVENT:
            unsafe (anchor, tag) = unsafe (event.data.mapping_start.anchor, event.data.mapping_start.tag)
            kind = .mappingStart
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: kind = .containerEnd
        case YAML_STREAM_END_EVENT: isStreamOver = true
        case YAML_DOCUMENT_START_EVENT:
            documentCount += 1
            if documentCount == 1 { return nil }
            throw error(line, .unsupported("several documents"))
        default: return nil
        }
        guard unsafe tag == nil else { throw error(line, .unsupported("tags")) }
        return unsafe Event(
            kind: kind, anchor: Self.text(anchor), line: line, column: event.start_mark.column + 1)
    }

    private func syntaxError() -> ConfigError {
        // Safe: the parser's messages are constants of the library.
        let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "not readable as YAML"
        let context = unsafe parser.pointee.context.map { unsafe String(cString: $0) + ": " } ?? ""
        return error(unsafe parser.pointee.problem_mark.line + 1, .syntax(context + problem))
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        // Safe: the library's strings end with NUL.
        unsafe pointer.map { unsafe String(cString: $0) }
    }
}
