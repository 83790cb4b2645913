"""The package's version, told to the collector in HELLO."""

VERSION = "0.1.0"
