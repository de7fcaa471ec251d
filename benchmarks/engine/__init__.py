"""The engine against its peers and its targets: ``python -m benchmarks.engine``. See docs/benchmarks.md."""
