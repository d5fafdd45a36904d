"""Few-shot Labeler: sort pictures and classify a camera from a handful of examples."""

import os

# OpenCV reads both when it is first imported, which any module of the program may do, so they are set before
# all of them. Without the first, Windows Media Foundation takes from ten seconds to minutes to open a camera
# (opencv#17687); and macOS asks for permission itself once the camera starts, while OpenCV would do so on the
# wrong thread.
os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
os.environ.setdefault("OPENCV_AVFOUNDATION_SKIP_AUTH", "1")
