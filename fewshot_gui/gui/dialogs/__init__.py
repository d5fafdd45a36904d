"""Questions, the problems list and the about box."""
