"""What networks compute in: what is asked for, if the device has it."""

from __future__ import annotations

import pytest
import torch

from icf.models.training import loop

CPU = torch.device("cpu")


@pytest.mark.parametrize(("there", "taken"), [(True, "bfloat16"), (False, "float32")])
def test_bfloat16_is_taken_where_it_is_not_emulated(
    there: bool, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_has_bfloat16", lambda device: there)
    assert loop.dtype_on(CPU, "bfloat16") == getattr(torch, taken)


def test_float32_is_taken_as_it_is() -> None:
    assert loop.dtype_on(CPU, "float32") == torch.float32
