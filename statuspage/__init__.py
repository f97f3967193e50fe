"""A self-hosted status page and stakeholder communications service."""

__version__ = "0.1.0"
