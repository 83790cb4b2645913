"""Send product-analytics events to a Tidemark collector, and ask about them.

    client = tidemark.Client(token="…")
    client.track("page_view", "user_7", {"page": "/pricing"})
    client.close()

`tidemark.tracker`, `tidemark.engine` and `tidemark.dashboard` are for coroutines: `EventTracker`, `AnalyticsEngine`,
`DashboardManager`. `load_config` reads the file that configures them and the daemons.
"""

from ._varint import DecodeError
from ._version import VERSION as __version__
from .client import Client
from .config import load_config
from .errors import TidemarkError
from .reports import CollectorRefusal, PeerFailure, Stats, Verdict

__all__ = ["Client", "CollectorRefusal", "DecodeError", "PeerFailure", "Stats", "TidemarkError", "Verdict",
           "__version__", "load_config"]
