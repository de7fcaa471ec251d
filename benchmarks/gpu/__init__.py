"""Training on a GPU, against its card's ceilings and the CPU: ``python -m benchmarks.gpu``. See docs/benchmarks.md."""
