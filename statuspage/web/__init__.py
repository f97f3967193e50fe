"""Everything that speaks HTTP: the layer of ready bytes in front, and Flask's views behind it."""
