"""The files of the published iCartoonFace."""
