"""`icf import icartoonface`: the published iCartoonFace, as people's labels."""
