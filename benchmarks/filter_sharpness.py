"""Which faces the filter calls blurred: by the sharpness of edges, by the Laplacian.

Sharp faces of 22 drawn styles at 60 to 300 pixels, made darker, flatter, of equal
lightness, noisy or compressed, must be kept; blurred ones and those enlarged from 40
pixels or fewer, also dark, noisy and compressed, must be dropped. Thresholds were
chosen on twelve styles; the figures are of the other ten. ``ours`` and ``peer`` are
shares of right decisions at 100 pixels and more: ours, and those of the variance of the
Laplacian with the paper's threshold. The speed is that of all measures of a face.

With ``--write FOLDER``, the curves of docs/filter/sharpness.md are written as SVG.

Run: python -m benchmarks.filter_sharpness [--json] [--write FOLDER]; the first time it
needs npm and apt-get with network.
"""

import sys
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.curves import Curve, Panel, write_panels
from benchmarks.drawn_faces import CHOSEN_ON, Pixels, drawn_faces
from benchmarks.report import Result, report
from icf.images import measures
from icf.images.edges import measure_edges
from icf.images.grey import Grey
from icf.settings import FilterSettings

SIDES = (60, 100, 150, 200, 300)
LIGHT = (1.0, 0.75, 0.5, 0.35, 0.2, 0.1)
BLUR = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
NOISE = (0, 5, 10, 15, 20, 30)
ENLARGED = (20, 25, 30, 40, 50, 60, 80, 100)
#: How faces are enlarged; the last repeats pixels.
WAYS = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4, cv2.INTER_NEAREST)
#: From this blur on, in percent of the side, and up to this real side, a face is to be
#: dropped; between these and sharp ones either decision is right.
BLURRED, SMALL = 1.0, 40
GOAL = 0.95

Change = Callable[[Pixels], Pixels]


@dataclass(frozen=True)
class Case:
    """One changed face.

    Attributes:
        kind: of the change.
        level: how much of it.
        noise: whether noise was added afterwards.
        sharp: whether it must be kept; None where either is right.
    """

    style: str
    side: int
    kind: str
    level: float
    noise: bool
    sharp: bool | None
    edges: float
    resolution: float
    variance: float


def changes(side: int, seed: int) -> Iterator[tuple[str, float, bool | None, Change]]:
    """The kind of each change, how much of it, whether it is sharp, and the change."""
    for share in LIGHT:
        yield "light", share, True, partial(_lit, share=share)
    yield "range 15", 0, True, _flat
    yield "equal lightness", 0, True, _equal_lightness
    for deviation in NOISE[1:]:
        sharp = True if deviation <= 10 else None
        yield "noise", deviation, sharp, partial(_noisy, deviation=deviation, seed=seed)
    for quality in (75, 40):
        yield "JPEG", quality, True, partial(_jpeg, quality=quality)
    for percent in BLUR[1:]:
        sharp = False if percent >= BLURRED else None
        yield "blur", percent, sharp, partial(_blurred, percent=percent)
    for real in (real for real in ENLARGED if real < side):
        sharp = False if real <= SMALL and side >= 2.5 * real else None
        for way in WAYS:
            kind = "repeated" if way == cv2.INTER_NEAREST else "enlarged"
            yield kind, real, sharp, partial(_enlarged, real=real, way=way)


def cases(faces: Mapping[str, Sequence[Pixels]]) -> list[Case]:
    """Change and measure every face at every size that it has."""
    found = []
    for style, drawings in faces.items():
        for number, drawing in enumerate(drawings):
            for side in SIDES:
                if side > min(drawing.shape[:2]) * 1.02:
                    continue
                face = _resized(drawing, side, cv2.INTER_AREA)
                seed = zlib.crc32(f"{style}/{number}/{side}".encode())
                for kind, level, sharp, change in changes(side, seed):
                    if kind == "equal lightness" and not _has_colours(face):
                        continue
                    changed = change(face)
                    about = style, side, kind, level
                    found.append(_case(*about, False, sharp, changed))
                    if kind in ("blur", "enlarged") or (kind, level) == ("light", 0.2):
                        noisy = _noisy(changed, 3 if kind == "light" else 10, seed)
                        found.append(_case(*about, True, sharp, noisy))
                    if sharp is False:
                        dark = _lit(changed, 0.2)
                        found.append(
                            _case(
                                style, side, f"dark {kind}", level, False, sharp, dark
                            )
                        )
    return found


def _case(
    style: str,
    side: int,
    kind: str,
    level: float,
    noise: bool,
    sharp: bool | None,
    face: Pixels,
) -> Case:
    edges = measure_edges(face)
    variance = measures.sharpness(face)
    return Case(style, side, kind, level, noise, sharp, *edges, variance)


def _lit(face: Pixels, share: float) -> Pixels:
    return _pixels(face * share)


def _resized(face: Pixels, side: int, way: int) -> Pixels:
    height, width = face.shape[:2]
    scale = side / min(height, width)
    size = round(width * scale), round(height * scale)
    return _pixels(cv2.resize(face, size, interpolation=way))


def _enlarged(face: Pixels, real: int, way: int) -> Pixels:
    small = _resized(face, real, cv2.INTER_AREA)
    size = face.shape[1], face.shape[0]
    return _pixels(cv2.resize(small, size, interpolation=way))


def _blurred(face: Pixels, percent: float) -> Pixels:
    sigma = min(face.shape[:2]) * percent / 100
    return _pixels(cv2.GaussianBlur(face, (0, 0), sigma))


def _noisy(face: Pixels, deviation: float, seed: int) -> Pixels:
    noise = np.random.default_rng(seed).normal(0, deviation, face.shape)
    return _pixels(face + noise)


def _jpeg(face: Pixels, quality: int) -> Pixels:
    _, data = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return _pixels(decoded)


def _flat(face: Pixels) -> Pixels:
    low, high = np.percentile(face, (2, 98))
    return _pixels((face - face.mean()) * min(1.0, 15 / max(high - low, 1)) + 128)


def _equal_lightness(face: Pixels) -> Pixels:
    colour = face - Grey.of(face).pixels[..., None].astype(np.float64)
    return _pixels(128 + colour * min(1.0, 100 / np.abs(colour).max()))


def _has_colours(face: Pixels) -> bool:
    return bool(np.ptp(face.astype(np.int16), axis=2).mean() > 25)


def _pixels(values: np.typing.NDArray[np.generic] | cv2.typing.MatLike) -> Pixels:
    return np.clip(np.rint(np.asarray(values)), 0, 255).astype(np.uint8)


WANTED = FilterSettings()
LEAST_REAL = WANTED.min_resolution * WANTED.min_face


def kept(case: Case) -> bool:
    """By the filter's defaults."""
    return case.edges >= WANTED.min_edge_sharpness and case.resolution >= LEAST_REAL


def kept_by_variance(case: Case) -> bool:
    """By the paper's threshold."""
    return case.variance >= WANTED.min_sharpness


def right(some: Sequence[Case], decide: Callable[[Case], bool]) -> float:
    """The share of right decisions, sharp and not sharp weighted alike."""
    shares = [
        np.mean([decide(case) == sharp for case in some if case.sharp is sharp])
        for sharp in (True, False)
    ]
    return float(np.mean(shares))


def milliseconds(faces: Mapping[str, Sequence[Pixels]]) -> dict[str, float]:
    """CPU milliseconds a face of 150 and of 300 pixels, without and with edges."""
    found = {}
    for side in (150, 300):
        large = [face for each in faces.values() for face in each]
        same = [_resized(face, side, cv2.INTER_AREA) for face in large]
        for name, work in (("before", _measured_before), ("after", _measured)):
            begin = time.process_time()
            for face in same:
                work(face)
            spent = time.process_time() - begin
            found[f"ms_{side}_{name}"] = 1000 * spent / len(same)
    return found


def _measured_before(face: Pixels) -> None:
    grey = Grey.of(face)
    measures.tone(face)
    measures.sharpness(grey)
    measures.sharpness_paper(grey)


def _measured(face: Pixels) -> None:
    _measured_before(face)
    measure_edges(face)


def panels(found: Sequence[Case]) -> list[Panel]:
    """The curves: shares kept, and the resolution that enlarged faces read."""
    large = [case for case in found if case.side >= 100]
    return [
        _shares(large, "light", False, "Sharp, at a share of its light", LIGHT),
        _shares(large, "noise", False, "Sharp, with noise (deviation)", NOISE[1:]),
        _shares(large, "blur", False, "Blurred (sigma, % of the side)", BLUR[1:]),
        _shares(large, "blur", True, "Blurred, with noise of 10", BLUR[1:]),
        _shares(large, "enlarged", False, "Enlarged from (pixels)", ENLARGED[:-1]),
        _resolution(large),
    ]


def _shares(
    found: Sequence[Case], kind: str, noise: bool, title: str, levels: Sequence[float]
) -> Panel:
    held = [case for case in found if case.style not in CHOSEN_ON]
    chosen = [case for case in found if case.style in CHOSEN_ON]
    curves = []
    for name, some, decide in (
        ("edges, styles held out", held, kept),
        ("edges, styles chosen on", chosen, kept),
        ("Laplacian variance", found, kept_by_variance),
    ):
        at = [
            [c for c in some if (c.kind, c.level, c.noise) == (kind, level, noise)]
            for level in levels
        ]
        values = [100 * float(np.mean([decide(c) for c in each])) for each in at]
        curves.append(Curve(name, values))
    return Panel(title, "% kept", [f"{level:g}" for level in levels], curves, 100)


def _resolution(found: Sequence[Case]) -> Panel:
    levels = ENLARGED[:-1]
    read = [
        [
            case.resolution
            for case in found
            if (case.kind, case.level, case.noise) == ("enlarged", level, False)
            and case.style not in CHOSEN_ON
        ]
        for level in levels
    ]
    curves = [
        Curve(name, [float(np.percentile(each, share)) for each in read])
        for name, share in (("median", 50), ("5%", 5), ("95%", 95))
    ]
    title = "Resolution read, enlarged from (pixels)"
    return Panel(title, "pixels", [f"{level}" for level in levels], curves, 150)


def table(found: Sequence[Case]) -> dict[str, str]:
    """Percent kept by edges and by variance, for each change and size."""
    rows: dict[str, list[str]] = defaultdict(list)
    held = [case for case in found if case.style not in CHOSEN_ON]
    kinds = dict.fromkeys((case.kind, case.level, case.noise) for case in held)
    for kind in kinds:
        for side in SIDES:
            some = [
                case
                for case in held
                if (case.kind, case.level, case.noise) == kind and case.side == side
            ]
            shares = (
                [100 * np.mean([decide(case) for case in some]) for decide in _DECIDE]
                if some
                else []
            )
            rows[f"{kind[0]} {kind[1]:g}{' + noise' if kind[2] else ''}"].append(
                "/".join(f"{share:.0f}" for share in shares) or "-"
            )
    return {name: "  ".join(cells) for name, cells in rows.items()}


_DECIDE = (kept, kept_by_variance)


def main() -> None:
    """Measure and report."""
    cv2.setNumThreads(1)
    faces = drawn_faces()
    found = cases(faces)
    if "--write" in sys.argv:
        folder = Path(sys.argv[sys.argv.index("--write") + 1])
        write_panels(folder / "sharpness.svg", panels(found))
    held = [case for case in found if case.style not in CHOSEN_ON and case.side >= 100]
    ours, peer = right(held, kept), right(held, kept_by_variance)
    chosen = [case for case in found if case.style in CHOSEN_ON and case.side >= 100]
    also = {
        "chosen_on": right(chosen, kept),
        "cases": len(found),
        "styles": len(faces),
        **milliseconds(faces),
        **table(found),
    }
    goal = f">= {GOAL} on styles held out"
    name = "Laplacian variance >= 100"
    ratio = (1 - peer) / (1 - ours)
    report(
        Result(
            "filter_sharpness",
            "share right",
            ours,
            peer,
            name,
            ratio,
            goal,
            ours >= GOAL,
            also,
        )
    )


if __name__ == "__main__":
    main()
