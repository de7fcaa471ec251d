"""Grows cascade-correlation networks (Fahlman & Lebiere 1990) and keeps what was grown."""
