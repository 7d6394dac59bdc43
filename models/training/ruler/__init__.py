"""Detectors and embedders, measured on the ruler: real drawings, boxed by hand."""
