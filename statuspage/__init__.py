"""A self-hosted status page and stakeholder communications service."""
