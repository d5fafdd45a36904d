"""Several learners side by side, on the same examples."""
