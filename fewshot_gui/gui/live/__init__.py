"""Camera, video and drawing, predicted as they happen."""
