"""A declarative desired-state reconciler for outbound-communication platforms."""

__version__ = "0.1.0"
