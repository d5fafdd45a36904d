"""Getting backbones from elsewhere: asked for, resumable, checked, whole or not at all."""
