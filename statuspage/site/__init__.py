"""READ: what the public may see, as pages, feeds and JSON, in ready bytes."""
