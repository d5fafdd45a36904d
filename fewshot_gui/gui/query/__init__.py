"""The query panel: the gallery of the opened folder."""
