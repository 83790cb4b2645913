extension DashboardConfig {
    /// What a server shows that nobody gave a section `dashboards:`.
    static func builtIn() throws(ConfigError) -> [DashboardConfig] {
        try ConfigFiles([("the built-in dashboards", Array(builtInText.utf8))], environment: [:]).dashboards()
    }

    /// `config/dashboard_config.yaml`.
    private static let builtInText = """
        dashboards:
          overview:
            name: "Product Overview"
            widgets:
              - widget_id: "total_users"
                type: "metric"
                title: "Total Users"
                filters:
                  start_date: "30_days_ago"
                  end_date: "today"
                metrics:
                  - type: "count_distinct"
                    field: "user_id"
                trend: "7_days"

              - widget_id: "active_users"
                type: "metric"
                title: "Active Users (7d)"
                filters:
                  start_date: "7_days_ago"
                  end_date: "today"
                metrics:
                  - type: "count_distinct"
                    field: "user_id"
                trend: "7_days"

              - widget_id: "feature_adoption"
                type: "chart"
                title: "Feature Adoption"
                chart_type: "bar"
                filters:
                  start_date: "30_days_ago"
                  end_date: "today"
                  event_type: "feature_used"
                dimensions:
                  - "properties.feature_name"
                metrics:
                  - type: "count_distinct"
                    field: "user_id"
                group_by:
                  - "properties.feature_name"
                order_by:
                  - "count DESC"

              - widget_id: "signup_funnel"
                type: "funnel"
                title: "Signup Funnel"
                funnel_steps:
                  - name: "Page View"
                    event_type: "page_view"
                    filters:
                      page_name: "signup"
                  - name: "Click Signup"
                    event_type: "click"
                    filters:
                      element_id: "signup_button"
                  - name: "Submit Form"
                    event_type: "submit"
                    filters:
                      form_name: "signup"
                  - name: "Sign Up"
                    event_type: "sign_up"
        """
}
