"""The dashboard's REST: thin, and all of it through the backend protocol."""
