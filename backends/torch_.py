"""The PyTorch backend: new tensors live where the inputs do, and nothing waits for the device."""

from __future__ import annotations

from collections.abc import Sequence

from losslang.backends.backend import Backend


class _Torch(Backend):
    arrays_only = True

    def type_name(self, elem: str) -> str:
        return {"real": "real", "int": "torch.int64", "bool": "torch.bool"}[elem]

    def cast(self, code: str, type: str) -> str:
        return f"{code}.to({type})"

    def power(self, base: str, exponent: str) -> str:
        return f"torch.pow({base}, {exponent})"

    def device_code(self, parameters: Sequence[tuple[str, int]]) -> str | None:
        ranked = [name for name, rank in parameters if rank] or [name for name, _ in parameters]
        return f"device = {ranked[0]}.device" if ranked else "device = torch.get_default_device()"


BACKEND = _Torch(
    name="torch",
    module="torch",
    double="_double(device)",
    imports=("import torch",),
    helpers=("torch_helpers.py", "torch_special.py"),
    rows={
        "mod": "torch.remainder({0}, {1})",
        "floor": "torch.floor({0}).to(torch.int64)",
        "stop": "{0}.detach()",
        "sqrt": "_sqrt({0})",
        "log_saturated": "torch.log(torch.clamp({0}, min={tiny}))",
        "erf": "torch.special.erf({0})",
        "erfc": "torch.special.erfc({0})",
        "erfcx": "torch.special.erfcx({0})",
        "lgamma": "torch.lgamma({0})",
        "digamma": "_digamma({0})",
        "argsort": "torch.argsort({0}, dim={axis}, stable=True)",
        "sum": "torch.sum({0}, dim={axes})",
        "prod": "_prod({0}, {axes})",
        "max": "_amax({0}, {axes})",
        "min": "-_amax(-{0}, {axes})",
        "any": "torch.any({0}, dim={axes})",
        "all": "torch.all({0}, dim={axes})",
        "broadcast": "{0}.expand({shape})",
        "transpose": "{0}.permute({order})",
        "stack": "torch.stack([{items}], dim={axis})",
        "arange": "torch.arange({0}, device=device)",
        "full": "torch.full({shape}, {0}, dtype={type}, device=device)",
        "result": "{0}",
        "widen": "{0}.to({double})",
        "narrow": "{0}.to(real)",
        "limit": "torch.finfo(real).{attr}",
    },
)
