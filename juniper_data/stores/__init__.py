"""Where datasets are kept: a protocol, and one file for each back end."""
