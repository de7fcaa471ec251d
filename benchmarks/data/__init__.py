"""The dataset service against its budgets: ``python -m benchmarks.data``. See docs/benchmarks.md."""
