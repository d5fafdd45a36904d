"""Data sets and N-way K-shot sampling."""
