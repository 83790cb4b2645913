import Config
import Events

extension TrackingPlan {
    /// The plan that the section `analytics:` describes.
    init(_ analytics: AnalyticsConfig) {
        let types = analytics.events.sorted { $0.key < $1.key }.map { name, type in
            EventType(name, isEnabled: type.isEnabled, properties: type.properties.map(Property.init))
        }
        self.init(mode: Mode(analytics.tracking.plan), isStrict: analytics.tracking.isStrict, types: types)
    }
}

extension TrackingPlan.Property {
    fileprivate init(_ property: AnalyticsConfig.Property) {
        self.init(
            property.name, type: property.type.map(TrackingPlan.PropertyType.init), isRequired: property.isRequired)
    }
}

extension TrackingPlan.PropertyType {
    fileprivate init(_ type: AnalyticsConfig.Property.ValueType) {
        self = switch type {
        case .string: .string
        case .number: .number
        case .boolean: .boolean
        case .json: .json
        }
    }
}

extension TrackingPlan.Mode {
    fileprivate init(_ plan: AnalyticsConfig.Tracking.Plan) {
        self = switch plan {
        case .off: .off
        case .warn: .warn
        case .strip: .strip
        case .quarantine: .quarantine
        case .reject: .reject
        }
    }
}
