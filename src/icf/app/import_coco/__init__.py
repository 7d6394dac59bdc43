"""`icf import coco`: pictures and boxes of a COCO annotation file."""
