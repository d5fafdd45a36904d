"""Few-shot Labeler: sort pictures and classify a camera from a handful of examples."""
