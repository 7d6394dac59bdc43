"""Weights of PyTorch become an ONNX file and what its card says, by what they are.

A state dict is numbers under names; what they mean, the code says that has these
names. Three such codes are known: timm's backbones (``timm:NAME``), DINOv2's own
(``dinov2``, which timm reads too), and torchvision's RetinaNet
(``torchvision-retinanet``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from icf.errors import WrongUse
from icf.models.outside.converted import Converted

#: Before the name of an architecture of timm.
TIMM = "timm:"
DINOV2 = "dinov2"
RETINANET = "torchvision-retinanet"
#: What users may write behind ``--as``.
NAMES = (f"{TIMM}NAME", DINOV2, RETINANET)


#: From the file, the numbers that the user gave, and a folder for the ONNX file.
Conversion = Callable[[Path, Mapping[str, float], Path], Converted]


def conversion(form: str) -> Conversion | None:
    """Return what converts weights that are added as ``form``; None: nothing has to.

    Raises:
        WrongUse: ``timm`` without the name of an architecture, or with none it has.
    """
    if form == TIMM.rstrip(":") or form == TIMM:
        raise WrongUse(
            "timm has a thousand architectures: name the one that the weights are of, "
            "as in --as timm:vit_small_patch14_dinov2"
        )
    # Imported here: PyTorch takes seconds.
    if form.startswith(TIMM) or form == DINOV2:
        from icf.models.networks.timm_body import unknown_architecture
        from icf.models.outside import backbone

        architecture = form.removeprefix(TIMM) if form != DINOV2 else ""
        if architecture and (unknown := unknown_architecture(architecture)):
            raise WrongUse(f"--as {form}: {unknown}")
        return lambda path, given, folder: backbone.convert(
            path, architecture, given, folder
        )
    if form == RETINANET:
        from icf.models.outside import retinanet

        return retinanet.convert
    return None
