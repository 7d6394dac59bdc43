"""Attributes of faces: gender, pose, occlusion, as people see them."""
