"""Grown networks that answer: named models, kept in files, and requests answered together. Knows nothing of HTTP."""
