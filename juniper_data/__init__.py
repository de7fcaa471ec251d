"""Makes and keeps datasets."""
