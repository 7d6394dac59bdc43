"""The published file formats, one module each: read strictly, write to the byte."""
