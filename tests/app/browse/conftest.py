from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from icf.annotate.page.app import make_app
from icf.annotate.page.desk import open_desk
from icf.annotate.people.people import Role
from icf.app.browse.pages import PAGES, routes
from icf.codes import FaceReason, Verdict
from tests.annotate.page.clients import signed_in, stranger
from tests.annotate.place import EMBEDDER, Place


class Looking:
    """Two characters with a reference and three faces each, and browsers."""

    def __init__(self, root: Path) -> None:
        self.place = Place(root)
        self.ann = self.place.add_character("Ann <b>", "Moon")
        self.bob = self.place.add_character("Bob", "Sun")
        self.faces = [
            self.place.add_face(self.ann, 0.9, sharpness=30.0),
            self.place.add_face(self.ann, 0.5, sharpness=10.0),
            self.place.add_face(
                self.ann,
                None,
                sharpness=20.0,
                verdict=Verdict.DROPPED.value,
                reason=FaceReason.BLURRED.value,
                embedder=None,
            ),
        ]
        self.others = [self.place.add_face(self.bob, 0.7) for _ in range(3)]
        space = self.place.workspace
        self.references = [self.place.reference(each) for each in (self.ann, self.bob)]
        ids = np.array([*self.references, *self.faces[:2], *self.others])
        angles = np.linspace(0.0, 1.5, len(ids))
        vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        space.vectors.append(EMBEDDER, ids, vectors.astype(np.float32))
        self.by_angle = ids.tolist()
        self.app = make_app(open_desk(space, (), PAGES), more=routes(space))
        self.reviewer = signed_in(self.app, "Rita", Role.REVIEWER)

    def stranger(self) -> TestClient:
        """A browser without a session."""
        return stranger(self.app)


@pytest.fixture
def looking(tmp_path: Path) -> Iterator[Looking]:
    made = Looking(tmp_path / "space")
    yield made
    made.place.workspace.catalogue.close()
