"""The read side: what the public may see, as pages, feeds, JSON and files, in ready bytes."""
