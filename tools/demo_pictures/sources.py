"""Fetch the freely licensed art of the demo site.

It comes from npm and PyPI packages, which are kept in a cache folder.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

NPM = ("@dicebear/core@9.4.3", "@dicebear/collection@9.4.3", "comicgen@1.9.9")
WHEELS = ("scikit-image==0.24.0", "matplotlib==3.9.2")

# One node process makes all avatars: specifications on stdin, SVG on stdout.
_AVATARS = """
import { createAvatar } from '@dicebear/core';
import * as styles from '@dicebear/collection';
import fs from 'fs';
const wanted = JSON.parse(fs.readFileSync(0, 'utf8'));
const made = wanted.map(w => createAvatar(styles[w.style], w.options).toString());
fs.writeFileSync(1, JSON.stringify(made));
"""


@dataclass(frozen=True)
class Photograph:
    """A photograph inside a wheel; ``human`` is the box of a person's face."""

    package: str
    member: str
    author: str
    human: tuple[int, int, int, int] | None = None


PHOTOGRAPHS = (
    Photograph(
        "scikit_image",
        "skimage/data/astronaut.png",
        "NASA",
        (176, 74, 272, 186),
    ),
    Photograph(
        "matplotlib",
        "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
        "United States Navy",
        (168, 130, 368, 336),
    ),
    Photograph("scikit_image", "skimage/data/chelsea.png", "Stéfan van der Walt"),
    Photograph("scikit_image", "skimage/data/coffee.png", "Rachel Michetti"),
    Photograph("scikit_image", "skimage/data/rocket.jpg", "SpaceX"),
    Photograph("scikit_image", "skimage/data/hubble_deep_field.jpg", "NASA"),
    Photograph("scikit_image", "skimage/data/grass.png", "linolafett"),
    Photograph("scikit_image", "skimage/data/gravel.png", "CC0Textures"),
    Photograph("scikit_image", "skimage/data/brick.png", "CC0Textures"),
)


@dataclass(frozen=True)
class ArtCache:
    """The folder of the unpacked packages."""

    folder: Path

    @property
    def comicgen(self) -> Path:
        """The folder of comicgen's SVG parts."""
        return self.folder / "npm" / "node_modules" / "comicgen" / "svg"

    def fill(self) -> None:
        """Fetch the packages that are missing.

        Raises:
            subprocess.CalledProcessError: npm or pip could not fetch them.
        """
        npm, wheels = self.folder / "npm", self.folder / "wheels"
        if not self.comicgen.is_dir():
            npm.mkdir(parents=True, exist_ok=True)
            (npm / "package.json").write_text('{"private": true}')
            # Without install scripts: comicgen's would build a server.
            flags = ("--ignore-scripts", "--no-audit", "--no-fund")
            subprocess.run(["npm", "install", *flags, *NPM], cwd=npm, check=True)
        wheels.mkdir(parents=True, exist_ok=True)
        if len(list(wheels.glob("*.whl"))) < len(WHEELS):
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
            only = ["--only-binary=:all:", "--dest", str(wheels)]
            subprocess.run([*pip, *only, *WHEELS], check=True)

    def avatars(self, wanted: list[dict[str, Any]]) -> list[str]:
        """Draw DiceBear avatars.

        Args:
            wanted: one ``{"style": name, "options": {...}}`` for each avatar.

        Returns:
            One SVG text for each, in order.
        """
        script = self.folder / "npm" / "avatars.mjs"
        script.write_text(_AVATARS)
        done = subprocess.run(
            ["node", script.name],
            cwd=script.parent,
            input=json.dumps(wanted).encode(),
            capture_output=True,
            check=True,
        )
        made: list[str] = json.loads(done.stdout)
        return made

    def photograph(self, which: Photograph) -> Image.Image:
        """Read a photograph out of its wheel."""
        wheel = next((self.folder / "wheels").glob(f"{which.package}-*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            data = io.BytesIO(archive.read(which.member))
        return Image.open(data).convert("RGB")
