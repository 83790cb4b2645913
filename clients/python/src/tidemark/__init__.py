"""Send product-analytics events to a Tidemark collector.

    client = tidemark.Client(token="…")
    client.track("page_view", "user_7", {"page": "/pricing"})
    client.close()
"""

from ._varint import DecodeError
from ._version import VERSION as __version__
from .client import Client
from .reports import CollectorRefusal, PeerFailure, Stats, Verdict

__all__ = ["Client", "CollectorRefusal", "DecodeError", "PeerFailure", "Stats", "Verdict", "__version__"]
