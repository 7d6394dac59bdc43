"""Training data, from where people have it: pictures, boxes, kinds, identities."""
