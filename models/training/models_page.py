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
embedder, that were trained on freely licensed drawings. A third, the judge of
photographs, separates photographs from drawings. Each is an ONNX file in
`models/bundled/` with a card next to it. The card names the file's SHA-256: a file that
was truncated, replaced or retrained is refused. They started from weights of others:
the licences of these are in `models/bundled/NOTICE.txt`.

    icf-train models

Other models can take the place of the detector and the embedder:
[a model of your own](add-a-model.md).

## What runs them

| `filter.runtime` | `filter.device` | runs in |
| --- | --- | --- |
| `auto` (default) | `auto` | PyTorch on a GPU, if there is one; else ONNX Runtime |
| `onnxruntime` | `auto`, `cpu` | ONNX Runtime on processors |
| `openvino` | `auto`, `cpu` | OpenVINO on processors (the extra `openvino`) |
| `torch` | `auto`, `cpu`, `cuda` | PyTorch, from the weights in the same ONNX file |

The model's hash, and what is stored under it, is the same for every runtime. On
processors the results of PyTorch and ONNX Runtime differ by less than a pixel, with a
cosine above 0.999. On a GPU it computes in float16, in batches of pictures of one
shape. Each worker process of the filter has its own copy of the model, on the GPU too;
`filter.workers` sets their number. `cuda` on a machine without a GPU is an error. The
GPU path has not been measured yet.

## Train them again

In a clone of the repository, on Debian or Ubuntu, with `npm` and the `train` extra
(`pip install -e '.[train]'`):

    icf-train detector --recipe bundled --from FIRST/detector.onnx --out models/bundled
    icf-train embedder --recipe bundled --from FIRST/embedder.onnx --out models/bundled
    icf-train photo --out models/bundled

Detector and embedder are trained by the same [trainer](training/index.md) as a model of
your own, and their recipes are in its [configuration](training/configuration.md). Each
goes on from an earlier one. These are in the history of the repository, in the folder
`models/bundled` of the commit 682739e: copy it to FIRST. Without `--from`, a new
detector is trained from CenterFace's weights, as the earlier one was, in half an hour,
and a new embedder from ImageNet's, in hours. Each command fetches the drawings as npm,
PyPI and Debian packages and draws the characters, once, into `~/.cache/icf-art` (or
`ICF_ART_CACHE`), in about an hour on two processors. It then trains, exports, measures
and writes the card: with `--from` in less than an hour each on two quiet processors. A
run can be killed at any time; the same command resumes exactly from the last
checkpoint, and `icf-train status` shows the progress. The judge of photographs takes
minutes and starts from scratch. Another `--seed` makes another model of the same
recipe.

1. **Art.** Characters of many drawn styles, each with its face box, and people modelled
   in three dimensions with different poses, expressions and lighting. Every identity
   has several views with the same hair, skin and clothes. Things, animals and places
   are the negatives. Some styles are held out of training.
2. **The detector** is trained on scenes that are composed while it runs: portraits,
   crowds, comic pages, and pictures without a face, redrawn in ink, pencil, screentone
   and other colours, blurred and compressed. The batch of step *n* depends on the seed
   and *n* alone. It starts from the weights of CenterFace, a detector that was trained
   on photographs. It also sees drawings by people, smileys and heads of animals,
   figures whose face is painted over, hands, clothes, jewels and weapons. The bundled
   one goes on from that with whole figures: icons of six sets, also in black and white,
   clip art of people, animals and toys, and the characters of three more generators.
3. **The embedder** is trained on two crops of each identity, moved, turned, mirrored,
   redrawn, on other backgrounds. Its first generation was trained with ArcFace's margin
   on generated characters, with a second loss that keeps its features similar to those
   of ImageNet. The second goes on from it, with figures in drawings by people, each an
   identity, and with modelled people in other clothes, with other hair, age and light;
   a network repaints some of the crops. Its loss compares the crops of a batch with
   each other. A batch has identities of three styles only, so that each has others that
   look like it.
4. **The result** is the moving average of the weights.
5. **The judge of photographs** is a logistic model over fixed features of ImageNet. It
   gets six views of each picture: all of it reduced, and five parts of it unscaled,
   which show brush and line, or lens and sensor. It was fitted on photographs with a
   free licence, the same ones painted over in many ways (as drawings, because paintings
   with a suitable licence are rare), and drawings, those by people among them, as
   pages, scans on paper, screentone and JPEG.
6. **The figures** are of held-out styles: of the detector on composed scenes, the
   average precision at IoU 0.5, and recall and precision at its lowest score; of the
   embedder on crops within a style, the area under the ROC curve of same and different
   pairs, and how often the nearest other crop is the same character. The embedder's
   probabilities are calibrated (Platt) on Kenney's and Freedoom's characters and on
   modelled people on other days (`other-days`), most of them repainted; each of these
   weighs the same, and none was trained on. Figures on other art may be
   lower: [the ruler](ruler.md) has drawings by people; the detector's sizes and lowest
   score were chosen on its development set. The judge of
   photographs is measured on held-out collections; its threshold, `max_photo`, drops
   fewer than 0.5% of their drawings. In a first trial
   with the same share, hand-made statistics (noise, gradients, equal neighbours,
   colours) found 8% of the photographs, and features of this network after different
   blocks 7% to 43%.
"""

#: Titles of models whose name is not enough.
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
            ("created", card.created),
            ("initial weights", card.parent),
            ("format", f"`{card.format}`"),
            ("network", card.architecture),
            ("input", card.input),
            ("recipe", f"`{card.recipe}`"),
            *((f"`{name}`", f"{value:g}") for name, value in card.parameters.items()),
        ],
    )
    for columns, groups in _by_columns(card.figures):
        lines += _table(
            ("measured on", *columns),
            [
                (group, *(f"{value:g}" for value in card.figures[group].values()))
                for group in groups
            ],
        )
    lines += [f"Limits of the {title}:", ""]
    lines += [f"- {limit}" for limit in card.limits]
    lines += ["", f"Training data of the {title}:", ""]
    lines += _table(
        ("data", "source", "licence"),
        [(each["name"], each["source"], each["licence"]) for each in card.data],
    )
    return "\n".join(lines)


def _by_columns(
    figures: Mapping[str, Mapping[str, float]],
) -> list[tuple[tuple[str, ...], list[str]]]:
    """Group by the names of the figures, in order: each group is one table."""
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
