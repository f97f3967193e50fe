"""What a stretch of time was like, from what the service knows: for those who run it."""
