"""The models that cross the wire between services."""
