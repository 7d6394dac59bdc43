"""Write docs/models.md from the cards of the bundled models.

Run ``python -m icf.models.training.models_page docs/models.md`` after a card has
changed; a test compares the page with the cards.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from icf.models.cards import BUNDLED, ModelCard, bundled_path, load_card
from icf.stores.files import replace_file

_INTRODUCTION = """\
# The bundled models

Made by `python -m icf.models.training.models_page docs/models.md`; do not edit.

A fresh install finds and compares faces with two small networks, a detector and an
embedder, that were trained from freely licensed drawings; a third tells photographs
from drawings. Each lies in
`models/bundled/` as an ONNX file with a card beside it. The card names the file's
SHA-256: a file that was cut short, swapped or retrained is refused.

    icf-train models

## What runs them

| `filter.runtime` | `filter.device` | runs in |
| --- | --- | --- |
| `auto` (default) | `auto` | PyTorch on a GPU, if there is one; else ONNX Runtime |
| `onnxruntime` | `auto`, `cpu` | ONNX Runtime on processors |
| `openvino` | `auto`, `cpu` | OpenVINO on processors (the extra `openvino`) |
| `torch` | `auto`, `cpu`, `cuda` | PyTorch, from the weights in the same ONNX file |

The model's hash, and what is stored under it, is the same whatever runs it. On
processors PyTorch agrees with ONNX Runtime to a pixel, and to a cosine of 0.999; on a
GPU it computes in float16, with pictures of one shape together. Each worker process of
the filter decodes on its own processor and opens the model for itself, so a GPU holds
the model once for each; `filter.workers` says how many there are. `cuda` on a machine
without a GPU is refused. The GPU path has not been measured yet.

## Make them again

On Debian or Ubuntu, with `npm` and the `train` extra (`pip install -e '.[train]'`):

    icf-train detector --out models/bundled
    icf-train embedder --out models/bundled
    icf-train photo --out models/bundled

Each command fetches the drawings as npm, PyPI and Debian packages and draws the
characters, once, into `~/.cache/icf-art` (`ICF_ART_CACHE` moves it). It then trains,
exports, measures and writes the card. For detector and embedder that takes hours on two
processors: killed at any time, they go on from the last checkpoint, exactly as they
would have, when the command is given again; `icf-train status` says how far they are.
The judge of photographs takes minutes and begins anew. Another `--seed` makes another
model of the same recipe.

1. **Art.** Characters of many drawn styles, each with its face box, and people modelled
   in three dimensions, who turn their heads, change their faces and stand in any light.
   Every identity has several views, in which hair, skin and clothes stay. Things,
   animals and places without a face are what is not one. Some styles are never trained
   on.
2. **The detector** sees scenes composed as they are needed: portraits, crowds, comic
   pages, and pictures without a face, redrawn in ink, pencil, screentone and other
   colours, blurred and compressed. What step *n* sees follows from the seed and *n*
   alone.
3. **The embedder** sees two crops of each identity, moved, turned, redrawn, on other
   backgrounds, and learns with ArcFace's margin to tell identities apart, while its
   features stay near those of ImageNet.
4. **Kept** is the moving average of the weights.
5. **The judge of photographs** fits a logistic model over features of ImageNet, which
   stay as they are. It sees each picture twice: reduced, and its middle as it is, where
   brush, line, lens and sensor show. It saw photographs with a free licence, the same
   ones painted over in many ways (as drawings, because painted art that may be trained
   on is rare), and drawings as pages, scans on paper, screentone and JPEG.
6. **Measured** are the held-out styles: the detector on composed scenes, with the
   average precision at IoU 0.5, and recall and precision at its least score; the
   embedder on crops within a style, with the area under the ROC curve of same and
   different pairs, and how often the nearest other crop is the same character. The
   embedder's probabilities are calibrated on the same pairs (Platt), and the detector's
   second look, at 256 pixels, was chosen on the same styles among three sizes: figures
   on other art may be lower. The judge of photographs is measured on sources that it
   was not fitted on; its threshold, `max_photo`, is where fewer than 0.5% of their
   drawings are lost. In a first trial, at the same
   loss, hand-made statistics (noise, gradients, equal neighbours, colours) caught 8% of
   the photographs, and features of this network after different blocks 7% to 43%.
"""

#: What models are called where their name alone would not say it.
_TITLES = {"photo": "judge of photographs"}


def page(cards: Sequence[ModelCard]) -> str:
    """The text of docs/models.md."""
    return "\n".join([_INTRODUCTION, *(described(card) for card in cards)])


def described(card: ModelCard) -> str:
    """A card as a section of the page."""
    title = _TITLES.get(card.name, card.name)
    lines = [f"## The {title}", ""]
    lines += _table(
        ("", ""),
        [
            ("weights", f"`{card.file}`, {card.bytes:,} bytes"),
            ("SHA-256", f"`{card.sha256}`"),
            ("made on", card.created),
            ("from", card.parent),
            ("network", card.architecture),
            ("takes", card.input),
            ("by", f"`{card.recipe}`"),
            *((f"`{name}`", f"{value:g}") for name, value in card.parameters.items()),
        ],
    )
    for columns, groups in _alike(card.figures):
        lines += _table(
            ("measured on", *columns),
            [
                (group, *(f"{value:g}" for value in card.figures[group].values()))
                for group in groups
            ],
        )
    lines += [f"What the {title} cannot do:", ""]
    lines += [f"- {limit}" for limit in card.limits]
    lines += ["", f"What the {title} was trained on:", ""]
    lines += _table(
        ("what", "where from", "licence"),
        [(each["name"], each["source"], each["licence"]) for each in card.data],
    )
    return "\n".join(lines)


def _alike(
    figures: Mapping[str, Mapping[str, float]],
) -> list[tuple[tuple[str, ...], list[str]]]:
    """Gather groups that have the same figures, in order: each becomes one table."""
    found: dict[tuple[str, ...], list[str]] = {}
    for group, values in figures.items():
        found.setdefault(tuple(values), []).append(group)
    return list(found.items())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    marks = ["---"] * len(head)
    return [*(f"| {' | '.join(row)} |" for row in (head, marks, *rows)), ""]


def main() -> None:
    """Print the page, or write it to the file that is named."""
    text = page(
        [load_card(bundled_path(name).with_suffix(".json")) for name in BUNDLED]
    )
    if sys.argv[1:]:
        replace_file(Path(sys.argv[1]), [text.encode()])
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
