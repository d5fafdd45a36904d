"""Few-shot Labeler: sort pictures and classify a camera from a handful of examples."""

import os

# OpenCV reads it when it is first imported, which any module of the program may do, so it is set before all
# of them. Without it, Windows Media Foundation takes from ten seconds to minutes to open a camera
# (opencv#17687). OPENCV_AVFOUNDATION_SKIP_AUTH stays unset: macOS asks a person for permission only where a
# program requests it, as OpenCV then does, from any thread.
os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
