"""A booted host with the services on it against its budgets: ``python -m benchmarks.host``. See docs/benchmarks.md."""
