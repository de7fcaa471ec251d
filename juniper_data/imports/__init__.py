"""Datasets from files: CSV, JSON, Parquet and NPZ, read in a process of its own."""
