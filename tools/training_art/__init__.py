"""Drawn characters for training: their sources, and pages composed of them.

Everything lies in one folder, ``$ICF_ART_CACHE`` or ``~/.cache/icf-art``, under
``drawn/``, and is made by ``python -m icf.tools.training_art.make`` (npm, PyPI and
Debian packages only; a second call makes what is missing)::

    drawn/sources/            the packages, unpacked
    drawn/dicebear/<style>/<style>-NNN/<view>.png
    drawn/facesjs/facesjs-NNN/<view>.png
    drawn/emoji/<set>/<name>/0.png
    drawn/sculpted/sculpted-NNN/<view>.png   invented people, in three dimensions
    drawn/other-days/person-NNN/<view>.png   others, each view of another day
    drawn/comicgen/<character>/<view>.png
    drawn/renpy/<character>/<view>.png
    drawn/people/<name>/0.png          photographs (human faces)
    drawn/backgrounds/<name>.png       pictures without a face
    drawn/openclipart/<folder>/<name>.png   drawings without a person
    drawn/figures/<style>/<name>/<view>.png   with a body, for detectors

Every character is a transparent RGBA picture ``<view>.png`` with ``<view>.json`` next
to it: ``{"face": [x1, y1, x2, y2], "style": "...", "identity": "..."}``. The face box
is in pixels of that picture, chin to hairline and ear to ear. An identity has the same
hair, skin and clothes in all views, except for people on other days.

Styles are trained on or held out as ``styles.HELD_OUT`` says. ``other-days`` is held
out, and measures embedders.
"""
