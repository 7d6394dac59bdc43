"""Boxes of pictures to and from other programs: COCO and Label Studio."""
