"""The files of the published iCartoonFace: where they are, read and written."""
