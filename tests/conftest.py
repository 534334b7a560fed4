"""Puts the tensors of the tests on the device that the environment names."""

from __future__ import annotations

from placing import DEVICE

if DEVICE != "cpu":
    import torch

    torch.set_default_device(DEVICE)
