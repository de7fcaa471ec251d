"""The training service's routes: each module is one table of operations."""
