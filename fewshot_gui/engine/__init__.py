"""What runs: the document, the worker and what they derive; no Qt."""
