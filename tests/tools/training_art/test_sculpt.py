"""On a head of our own, an egg with eyes, in the files that the real one comes in."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from icf.tools.training_art import bodies, people, sculpt


def egg(rings: int = 24, around: int = 32) -> list[str]:
    """Lines of an OBJ: an egg from y = 4.5 to 8.6 that looks along +z."""
    lines = []
    for ring in range(rings + 1):
        angle = np.pi * ring / rings
        for step in range(around):
            turn = 2 * np.pi * step / around
            x = 0.9 * np.sin(angle) * np.sin(turn)
            z = 0.4 + 1.1 * np.sin(angle) * np.cos(turn)
            lines.append(f"v {x:.4f} {6.55 + 2.05 * np.cos(angle):.4f} {z:.4f}")
            lines.append(f"vt {step / around:.4f} {ring / rings:.4f}")
    lines = sorted(lines, key=lambda line: line.split()[0])
    lines.append("g body")
    for ring in range(rings):
        for step in range(around):
            after = (step + 1) % around
            top, below = 1 + ring * around, 1 + (ring + 1) * around
            corners = (top + step, below + step, below + after, top + after)
            lines.append("f " + " ".join(f"{c}/{c}" for c in corners))
    return lines


@pytest.fixture(autouse=True)
def body(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ICF_ART_CACHE", str(tmp_path))
    root = bodies.data()
    obj = root / "mpfb2/3dobjs/base.obj"
    obj.parent.mkdir(parents=True)
    obj.write_text("\n".join(egg()))
    textures = root / "mpfb2/textures"
    textures.mkdir()
    for name in ("ears", "lips", "eyelids"):
        black = np.zeros((8, 8), np.uint8)
        cv2.imwrite(str(textures / f"mpfb_{name}.jpg"), black)
    # A target moves the crown up by half a unit.
    moved = gzip.compress(b"# a morph\n0 0 .5 0\n1 0 .5 0\n")
    names = [f"{folder}/one.target.gz" for folder in bodies._FEATURES]
    names += [
        f"macrodetails/{race}-{gender}-{age}.target.gz"
        for race in bodies._RACES
        for gender in ("female", "male")
        for age in bodies.AGES
    ]
    names += ["eyes/l-eye-scale-incr.target.gz", "eyes/r-eye-scale-incr.target.gz"]
    for name in names:
        path = root / "mpfb2/targets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(moved)
    units = root / "faceunits01/targets/faceunits"
    units.mkdir(parents=True)
    for name in ("jawOpen", "mouthPucker", "cheekPuff", "eyeWideLeft", "eyeWideRight"):
        (units / f"{name}.target").write_text("0 0 0 .1\n")
    for cached in (bodies.mesh, bodies.mask, bodies.target, bodies._names):
        cached.cache_clear()
    yield root
    for cached in (bodies.mesh, bodies.mask, bodies.target, bodies._names):
        cached.cache_clear()


def test_only_the_shoulders_and_up_are_drawn() -> None:
    mesh = bodies.mesh()
    assert mesh.quads.shape[1:] == (4,)
    assert mesh.uv.shape == (*mesh.quads.shape, 2)
    assert mesh.vertices[mesh.quads][:, :, 1].max(1).min() > bodies.LOWEST


def test_morphs_move_what_they_name_by_their_weight(body: Path) -> None:
    crown = body / "mpfb2/targets/head/one.target.gz"
    moved = bodies.morphed({crown: 0.5}) - bodies.mesh().vertices
    assert moved[:2].tolist() == [[0, 0.25, 0], [0, 0.25, 0]]
    assert not moved[2:].any()


def test_both_eyes_are_shaped_alike(body: Path) -> None:
    for seed in range(30):
        weights = bodies.shape(np.random.default_rng(seed))
        sides = [
            weights.get(body / f"mpfb2/targets/eyes/{side}-eye-scale-incr.target.gz")
            for side in "lr"
        ]
        assert sides[0] == sides[1]


def test_one_seed_is_one_person_in_one_pose() -> None:
    who, twin = people.person(4), people.person(4)
    first, box = sculpt.draw(who, np.random.default_rng(1), 96)
    second, same = sculpt.draw(twin, np.random.default_rng(1), 96)
    assert (first == second).all()
    assert box == same
    other, _ = sculpt.draw(who, np.random.default_rng(2), 96)
    assert (first != other).any()


def test_the_face_box_lies_on_the_drawn_head() -> None:
    for seed in range(6):
        pixels, (x1, y1, x2, y2) = sculpt.draw(
            people.person(seed), np.random.default_rng(seed), 96
        )
        assert pixels.shape == (96, 96, 4)
        assert 0 <= x1 < x2 <= 96
        assert 0 <= y1 < y2 <= 96
        middle = pixels[int(y1) + 8 : int(y2) - 8, int(x1) + 8 : int(x2) - 8, 3]
        assert (middle > 0).mean() > 0.9
        assert (pixels[..., 3] == 0).any()


def test_a_changed_person_keeps_skin_eyes_and_the_shape_of_the_face() -> None:
    who = people.person(4)
    features = {path for path in who.shape if path.parent.name != "macrodetails"}
    for seed in range(20):
        other = people.changed(who, np.random.default_rng(seed))
        assert (other.skin == who.skin).all()
        assert (other.eyes == who.eyes).all()
        assert {path: other.shape.get(path) for path in features} == {
            path: who.shape[path] for path in features
        }
        assert (other.cloth != who.cloth).any()


def test_age_replaces_the_morphs_of_age_with_the_same_weights() -> None:
    shape = people.person(4).shape
    old = bodies.aged(shape, "old")
    assert sorted(old.values()) == sorted(shape.values())
    ages = {
        path.name.removesuffix(".target.gz").rpartition("-")[2]
        for path in old
        if path.parent.name == "macrodetails"
    }
    assert ages == {"old"}
    assert all(path.exists() for path in old)
