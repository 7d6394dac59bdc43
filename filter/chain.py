"""The steps of the filter, in the order in which images and faces pass them."""

from __future__ import annotations

from typing import Any

from icf.engine import plugins
from icf.engine.runner import Chain
from icf.engine.step import Step
from icf.filter.steps.aspect import Aspect
from icf.filter.steps.detect import Detect
from icf.filter.steps.duplicates import Duplicates
from icf.filter.steps.embed import Embed
from icf.filter.steps.exact import Exact
from icf.filter.steps.faces import HasFaces
from icf.filter.steps.identity import Identity
from icf.filter.steps.kind import Kind
from icf.filter.steps.photo import Photo
from icf.filter.steps.picture import PictureKept
from icf.filter.steps.reference import Reference
from icf.filter.steps.score import Score
from icf.filter.steps.sharpness import Sharpness
from icf.filter.steps.size import Size
from icf.filter.steps.tone import Tone
from icf.models.registry.resolve import model_path
from icf.settings import LEAST_SCORE
from icf.workspace import Workspace


def filter_chain(workspace: Workspace) -> Chain:
    """Make the steps of icf and of installed plug-ins.

    Raises:
        WrongUse: a plug-in step cannot be loaded, placed or configured, or the settings
            name a model that is not known.
        BadModel: the file of a chosen model is not there any more.
    """
    return Chain(plugins.placed(own_steps(workspace), plugins.made(workspace)))


def own_steps(workspace: Workspace) -> tuple[Step[Any], ...]:
    """Make the steps with the settings and paths of ``workspace``.

    Cheap steps come first: no face is embedded that size or sharpness drops.
    """
    wanted = workspace.settings.filter
    max_pixels = workspace.settings.harvest.max_pixels
    blobs = workspace.blobs_url
    vectors = workspace.root / "vectors"
    return (
        Detect(
            blobs,
            LEAST_SCORE,
            max_pixels,
            wanted.runtime,
            wanted.device,
            wanted.hashes,
            model_path(workspace, "detector"),
        ),
        Aspect(wanted.min_side, wanted.max_aspect),
        Photo(wanted.max_photo),
        HasFaces(wanted.min_score),
        Exact(),
        Score(wanted.min_score),
        PictureKept(),
        Size(wanted.min_face),
        Kind(),
        Tone(wanted.min_brightness, wanted.min_contrast),
        Sharpness(
            wanted.min_sharpness,
            wanted.min_edge_sharpness if wanted.by_edges else None,
            wanted.min_resolution * wanted.min_face,
        ),
        Embed(
            blobs,
            vectors,
            max_pixels,
            wanted.runtime,
            wanted.device,
            model_path(workspace, "embedder"),
        ),
        Duplicates(
            vectors, wanted.max_phash, wanted.max_dhash, wanted.min_duplicate_cosine
        ),
        Reference(vectors),
        Identity(vectors, wanted.min_probability),
    )
