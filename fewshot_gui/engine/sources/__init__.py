"""Where live pictures come from: camera, video and canvas."""
