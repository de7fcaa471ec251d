"""The training service against its budgets: ``python -m benchmarks.service``. See docs/benchmarks.md."""
