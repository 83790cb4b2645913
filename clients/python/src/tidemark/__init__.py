"""Send product-analytics events to a Tidemark collector."""

__version__ = "0.1.0"
