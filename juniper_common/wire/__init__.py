"""The models that cross a service boundary: what one service writes and another, or a client, reads."""
