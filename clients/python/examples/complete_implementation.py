"""Everything once: configure, make a dashboard, track, ask, show.

    python clients/python/examples/complete_implementation.py

The daemons must run; examples/README.md says where it looks for them.
"""

import asyncio
import logging
from pathlib import Path
from typing import Dict, Any

from tidemark import load_config
from tidemark.tracker import EventTracker
from tidemark.engine import AnalyticsEngine
from tidemark.dashboard import DashboardManager

CONFIG = Path(__file__).resolve().parents[3] / 'config'

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)

async def setup_analytics():
    """Setup analytics implementation"""
    logger.info("=" * 60)
    logger.info("Product Analytics Implementation")
    logger.info("=" * 60)

    # Load configuration
    config = load_config(CONFIG / 'analytics_config.yaml')

    # Step 1: Initialize event tracker
    logger.info("\n" + "=" * 60)
    logger.info("Step 1: Initializing Event Tracker")
    logger.info("=" * 60)

    tracker = EventTracker(config['tracking'])

    logger.info("Event tracker initialized")

    # Step 2: Initialize analytics engine
    logger.info("\n" + "=" * 60)
    logger.info("Step 2: Initializing Analytics Engine")
    logger.info("=" * 60)

    engine = AnalyticsEngine(config['analytics'])

    logger.info("Analytics engine initialized")

    # Step 3: Initialize dashboard manager
    logger.info("\n" + "=" * 60)
    logger.info("Step 3: Initializing Dashboard Manager")
    logger.info("=" * 60)

    dashboard_manager = DashboardManager(config['dashboard'])

    logger.info("Dashboard manager initialized")

    # Step 4: Create dashboard
    logger.info("\n" + "=" * 60)
    logger.info("Step 4: Creating Dashboard")
    logger.info("=" * 60)

    dashboard_config = load_config(CONFIG / 'dashboard_config.yaml')
    dashboard_id = await dashboard_manager.create_dashboard(
        dashboard_config['dashboards']['overview']['name'],
        dashboard_config['dashboards']['overview']['widgets']
    )

    logger.info(f"Dashboard created: {dashboard_id}")

    # Step 5: Test event tracking
    logger.info("\n" + "=" * 60)
    logger.info("Step 5: Testing Event Tracking")
    logger.info("=" * 60)

    # Track page view
    event_id = await tracker.track_page_view(
        user_id="user_123",
        page_name="home",
        properties={
            'url': 'https://example.com/home',
            'referrer': 'https://google.com'
        }
    )
    logger.info(f"Page view tracked: {event_id}")

    # Track feature usage
    event_id = await tracker.track_feature_used(
        user_id="user_123",
        feature_name="search",
        properties={
            'query': 'analytics',
            'results_count': 10
        }
    )
    logger.info(f"Feature usage tracked: {event_id}")

    # Step 6: Query analytics
    logger.info("\n" + "=" * 60)
    logger.info("Step 6: Querying Analytics")
    logger.info("=" * 60)

    # Get user metrics
    user_metrics = await engine.get_user_metrics(
        user_id="user_123",
        date_range={
            'start': '30_days_ago',
            'end': 'today'
        }
    )

    logger.info(f"User metrics: {user_metrics}")

    # Get feature adoption
    feature_adoption = await engine.get_feature_adoption(
        feature_name="search",
        date_range={
            'start': '30_days_ago',
            'end': 'today'
        }
    )

    logger.info(f"Feature adoption: {feature_adoption}")

    # Step 7: Get dashboard data
    logger.info("\n" + "=" * 60)
    logger.info("Step 7: Getting Dashboard Data")
    logger.info("=" * 60)

    dashboard_data = await dashboard_manager.get_dashboard_data(
        dashboard_id,
        date_range={
            'start': '30_days_ago',
            'end': 'today'
        }
    )

    logger.info(f"Dashboard data: {len(dashboard_data['widgets'])} widgets")

    # Print summary
    print_summary(dashboard_id, dashboard_data, user_metrics, feature_adoption)

def print_summary(
    dashboard_id: str,
    dashboard_data: Dict[str, Any],
    user_metrics: Dict[str, Any],
    feature_adoption: Dict[str, Any]
):
    """Print implementation summary"""
    print("\n" + "=" * 60)
    print("Analytics Implementation Summary")
    print("=" * 60)
    print(f"Dashboard ID: {dashboard_id}")
    print(f"Widgets: {len(dashboard_data['widgets'])}")
    print(f"\nUser Metrics:")
    print(f"  Total Events: {user_metrics['total_events']}")
    print(f"  Unique Days: {user_metrics['unique_days']}")
    print(f"  Sessions: {user_metrics['session_count']}")
    print(f"  Page Views: {user_metrics['page_views']}")
    print(f"  Clicks: {user_metrics['clicks']}")
    print(f"  Purchases: {user_metrics['purchases']}")
    print(f"\nFeature Adoption:")
    print(f"  Feature: {feature_adoption['feature_name']}")
    print(f"  Unique Users: {feature_adoption['unique_users']}")
    print(f"  Total Users: {feature_adoption['total_users']}")
    print(f"  Adoption Rate: {feature_adoption['adoption_rate']:.2%}")

async def main():
    """Main entry point"""
    await setup_analytics()

if __name__ == "__main__":
    asyncio.run(main())
