"""The live stream to the browsers: one frame per tick, encoded once, whatever their number."""
