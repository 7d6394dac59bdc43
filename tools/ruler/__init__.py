"""The ruler: real drawings that no training sees, with faces boxed by hand.

`dev.jsonl` and `test.jsonl` have a line a picture: where it comes from, how it is
drawn, its hash and its faces. The pictures are fetched as packages: many have a licence
that lets them be measured on but not be part of this repository.
"""
