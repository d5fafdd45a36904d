"""Deciding fast: what is sure, what to ask next, what looks alike, and whether enough was taught."""
