"""Golden files of networks: weights, inputs, logits and gradients by PyTorch.

    python networks.py --out ../data/golden/networks
    python networks.py --out ../data/golden/networks --check /tmp/exports/*

Python 3.11, torch 2.15.0, braindecode 1.8.1, safetensors 0.8; seed 20240611 + the file's
number. Networks of braindecode are its own classes; BaseNet's stream is its
``AttentionBaseNet`` with the last layer applied to each average; our encoder is written
here in plain PyTorch, with ``torch.fft``, complex rotations and PyTorch's attention.

A file holds ``state.*`` (random weights and random running statistics), ``input``,
``labels``, ``positions`` where the network asks for them, then of a cross-entropy loss in
evaluation mode ``logits``, ``grad.input`` and ``grad.*`` of each parameter, and the same
in training mode without dropout: ``train.logits``, ``train.grad.*``, and the running
statistics after it, ``train.state.*``. One file holds the state after five further steps of
AdamW with clipped gradients and no decay of vectors, ``stepped.*``. Its metadata says which network it is, as our
description, and how many parameters and operations PyTorch counts.

``--check`` loads state dicts that ``models::export`` wrote from the golden files of
``--out`` into braindecode and compares the logits:

    MINDLOOP_EXPORTS=/tmp/exports cargo test -p models --test networks survive
"""

from __future__ import annotations

import argparse
import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

torch.version.cuda = None
warnings.filterwarnings("ignore")

from braindecode.models import (  # noqa: E402
    AttentionBaseNet,
    CTNet,
    Deep4Net,
    EEGConformer,
    EEGNet,
    ShallowFBCSPNet,
)
from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

SEED = 20240611
N_BATCH = 3


class Stream(AttentionBaseNet):
    """BaseNet: each average of the last pooling is classified, decisions are averaged."""

    def __init__(self, n_times: int, window: int, stride: int, **kwargs: Any) -> None:
        # Built for one window, so that the last layer sees one average.
        super().__init__(
            n_times=window, pool_length_inp=1, pool_stride_inp=1, pool_length=window,
            pool_stride=stride, attention_mode=None, **kwargs,
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.channel_attention_block(self.channel_expansion(self.input_block(x)))
        return self.final_layer[1](x.squeeze(2).transpose(1, 2)).mean(1)


class Rows(nn.Module):
    def __init__(self, **rows: Tensor) -> None:
        super().__init__()
        for name, value in rows.items():
            self.register_parameter(name, nn.Parameter(value))


class Spectrum(nn.Module):
    def __init__(self, bins: int, size: int) -> None:
        super().__init__()
        self.to_token = nn.Linear(bins, size)


class Attention(nn.Module):
    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        for name in ["keys", "queries", "values", "projection"]:
            self.add_module(name, nn.Linear(size, size))

    def forward(self, x: Tensor, turn: Tensor | None) -> Tensor:
        b, n, size = x.shape

        def split(y: Tensor, turned: bool) -> Tensor:
            y = y.reshape(b, n, self.heads, -1).transpose(1, 2)
            if turn is None or not turned:
                return y
            first, second = y.chunk(2, dim=-1)
            z = torch.complex(first, second) * turn
            return torch.cat([z.real, z.imag], dim=-1)

        y = F.scaled_dot_product_attention(
            split(self.queries(x), True), split(self.keys(x), True), split(self.values(x), False)
        )
        return self.projection(y.transpose(1, 2).reshape(b, n, size))


class Block(nn.Module):
    def __init__(self, size: int, heads: int, expansion: int, activation: Callable) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(size)
        self.attention = Attention(size, heads)
        self.forward_norm = nn.LayerNorm(size)
        self.forward_ = nn.ModuleDict(
            {"expand": nn.Linear(size, expansion * size), "contract": nn.Linear(expansion * size, size)}
        )
        self.activation = activation

    def forward(self, x: Tensor, turn: Tensor | None) -> Tensor:
        x = x + self.attention(self.attention_norm(x), turn)
        wide = self.activation(self.forward_["expand"](self.forward_norm(x)))
        return x + self.forward_["contract"](wide)


class Encoder(nn.Module):
    """Our transformer encoder; ``c`` is its description."""

    def __init__(self, c: dict[str, Any], positions: Tensor, n_times: int, n_outputs: int) -> None:
        super().__init__()
        self.c = c
        size, n_virtual = c["token_size"], c["n_virtual_sensors"]
        k = torch.arange(1, c["n_position_frequencies"] + 1, dtype=torch.float64)
        phase = 2 * math.pi * positions[:, :, None] * k / c["position_wave_metres"]
        phase = phase.flatten(1)
        self.embedding = torch.cat([phase.cos(), phase.sin()], 1).float()
        n_embedded = self.embedding.shape[1]
        self.n_patches = n_times // c["patch_samples"]
        if n_virtual:
            self.sensors = Rows(
                queries=torch.randn(n_virtual, n_embedded), identities=torch.randn(n_virtual, size)
            )
        else:
            self.sensors = nn.ModuleDict({"places": nn.Linear(n_embedded, size)})
        self.patch = nn.Linear(c["patch_samples"], size)
        if c["time"] == "learned":
            self.times = nn.Parameter(torch.randn(self.n_patches, size))
        self.spectra = nn.ModuleList(
            Spectrum(c["n_spectrum_bins"], size) for _ in c["spectrum_scales"]
        )
        if c["pooling"] == "class_token":
            self.register_parameter("class", nn.Parameter(torch.randn(1, size)))
        if c["n_subjects"]:
            self.subjects = nn.Parameter(torch.randn(c["n_subjects"] + 1, size))
        activation = {"gelu": F.gelu, "selu": F.selu}[c["activation"]]
        self.blocks = nn.ModuleList(
            Block(size, c["n_heads"], c["expansion"], activation) for _ in range(c["n_blocks"])
        )
        self.norm = nn.LayerNorm(size)
        if c["pooling"] == "attention":
            self.query = nn.Parameter(torch.randn(size))
        self.head = nn.Linear(size, n_outputs)

    def forward(self, x: Tensor) -> Tensor:
        c, n_patches, length = self.c, self.n_patches, self.c["patch_samples"]
        x = x[..., x.shape[-1] - n_patches * length :]
        if c["n_virtual_sensors"]:
            scores = self.sensors.queries @ self.embedding.T / math.sqrt(self.embedding.shape[1])
            x = torch.einsum("vc,bct->bvt", scores.softmax(1), x)
            sensor = self.sensors.identities
        else:
            sensor = self.sensors["places"](self.embedding)
        tokens = self.patch(x.unflatten(-1, (n_patches, length)))
        for scale, spectrum in zip(c["spectrum_scales"], self.spectra):
            n = scale * length
            windows = x.unfold(-1, n, n)
            hann = torch.hann_window(n, periodic=True, dtype=torch.float64).float()
            bins = torch.fft.rfft(windows * hann)[..., 1 : c["n_spectrum_bins"] + 1]
            level = torch.log(bins.abs().square() / n + 1e-6)
            seen = [min(p // scale, windows.shape[-2] - 1) for p in range(n_patches)]
            tokens = tokens + spectrum.to_token(level)[:, :, seen]
        tokens = tokens + sensor[None, :, None]
        if c["time"] == "learned":
            tokens = tokens + self.times
        b, n_sensors = tokens.shape[:2]
        tokens = tokens.flatten(1, 2)
        extra = []
        if c["pooling"] == "class_token":
            extra.append(getattr(self, "class").expand(b, 1, -1))
        if c["n_subjects"]:
            extra.append(self.subjects[0].expand(b, 1, -1))
        turn = None
        if c["time"] == "rotary":
            when = torch.tensor([0] * len(extra) + list(range(1, n_patches + 1)) * n_sensors)
            half = c["token_size"] // c["n_heads"] // 2
            speed = 1e4 ** (-torch.arange(half, dtype=torch.float64) / half)
            angle = when[:, None].double() * speed
            turn = torch.polar(torch.ones_like(angle), angle).to(torch.complex64)
        tokens = torch.cat([*extra, tokens], 1)
        for block in self.blocks:
            tokens = block(tokens, turn)
        tokens = self.norm(tokens)
        if c["pooling"] == "class_token":
            return self.head(tokens[:, 0])
        weights = (tokens @ self.query / math.sqrt(tokens.shape[-1])).softmax(1)
        return self.head(torch.einsum("bn,bnd->bd", weights, tokens))


def encoder(geometry: dict[str, int], config: dict[str, Any], positions: Tensor) -> nn.Module:
    defaults = {
        "n_position_frequencies": 2, "position_wave_metres": 0.4, "time": "rotary",
        "pooling": "class_token", "n_subjects": 0, "activation": "gelu", "spectrum_scales": [],
        "n_spectrum_bins": 1,
    }
    for name, value in defaults.items():
        config.setdefault(name, value)
    return Encoder(config, positions, geometry["n_samples"], geometry["n_classes"])


def common(geometry: dict[str, int]) -> dict[str, int]:
    return {
        "n_chans": geometry["n_channels"], "n_times": geometry["n_samples"],
        "n_outputs": geometry["n_classes"],
    }


def braindecode(kind: str, geometry: dict[str, int], c: dict[str, Any]) -> nn.Module:
    """The class of braindecode that our description means; it must give every number."""
    sizes = common(geometry)
    if kind == "eegnet":
        return EEGNet(
            F1=c["n_filters"], D=c["depth"], F2=c["n_filters_separable"],
            kernel_length=c["filter_samples"], depthwise_kernel_length=c["separable_samples"],
            pool1_kernel_size=c["pool_1"], pool2_kernel_size=c["pool_2"], **sizes,
        )
    if kind == "shallow":
        return ShallowFBCSPNet(
            n_filters_time=c["n_filters_time"], n_filters_spat=c["n_filters_space"],
            filter_time_length=c["filter_samples"], pool_time_length=c["pool_samples"],
            pool_time_stride=c["pool_stride"], **sizes,
        )
    if kind == "deep4":
        n, length = c["n_filters"], c["filter_samples"]
        return Deep4Net(
            n_filters_time=n[0], n_filters_spat=n[0], n_filters_2=n[1], n_filters_3=n[2],
            n_filters_4=n[3], filter_time_length=length[0], filter_length_2=length[1],
            filter_length_3=length[2], filter_length_4=length[3], **sizes,
        )
    if kind == "basenet":
        return Stream(
            n_times=geometry["n_samples"], window=c["window_samples"], stride=c["stride_samples"],
            n_chans=geometry["n_channels"], n_outputs=geometry["n_classes"],
            n_temporal_filters=c["n_filters"], temp_filter_length_inp=c["filter_samples"],
            ch_dim=c["n_features"], temp_filter_length=c["separable_samples"],
        )
    if kind == "ctnet":
        return CTNet(
            n_filters_time=c["n_filters"], depth_multiplier=c["depth"],
            embed_dim=c["n_filters"] * c["depth"], kernel_size=c["filter_samples"],
            pool_size_1=c["pool_1"], pool_size_2=c["pool_2"], num_heads=c["n_heads"],
            num_layers=c["n_blocks"], **sizes,
        )
    if kind == "conformer":
        return EEGConformer(
            n_filters_time=c["n_filters"], filter_time_length=c["filter_samples"],
            pool_time_length=c["pool_samples"], pool_time_stride=c["pool_stride"],
            num_heads=c["n_heads"], num_layers=c["n_blocks"], **sizes,
        )
    raise ValueError(kind)


def geometry(n_channels: int, n_samples: int, n_classes: int) -> dict[str, int]:
    return {"n_channels": n_channels, "n_samples": n_samples, "n_classes": n_classes}


CASES: dict[str, tuple[str, dict[str, int], dict[str, Any]]] = {
    "eegnet": (
        "eegnet", geometry(5, 131, 3),
        {"n_filters": 8, "depth": 2, "n_filters_separable": 16, "filter_samples": 64,
         "separable_samples": 16, "pool_1": 4, "pool_2": 8},
    ),
    "eegnet_odd": (
        "eegnet", geometry(3, 96, 2),
        {"n_filters": 4, "depth": 3, "n_filters_separable": 10, "filter_samples": 25,
         "separable_samples": 7, "pool_1": 3, "pool_2": 5},
    ),
    "shallow": (
        "shallow", geometry(5, 150, 3),
        {"n_filters_time": 12, "n_filters_space": 9, "filter_samples": 25, "pool_samples": 40,
         "pool_stride": 15},
    ),
    "deep4": (
        "deep4", geometry(5, 470, 3),
        {"n_filters": [6, 8, 10, 12], "filter_samples": [10, 10, 9, 8]},
    ),
    "basenet": (
        "basenet", geometry(5, 180, 3),
        {"n_filters": 10, "filter_samples": 25, "n_features": 8, "separable_samples": 15,
         "window_samples": 64, "stride_samples": 16},
    ),
    "ctnet": (
        "ctnet", geometry(5, 200, 3),
        {"n_filters": 6, "depth": 2, "filter_samples": 64, "pool_1": 8, "pool_2": 4,
         "n_heads": 3, "n_blocks": 2},
    ),
    "conformer": (
        "conformer", geometry(5, 150, 3),
        {"n_filters": 12, "filter_samples": 25, "pool_samples": 40, "pool_stride": 20,
         "n_heads": 3, "n_blocks": 2},
    ),
    "encoder": (
        "encoder", geometry(7, 131, 3),
        {"patch_samples": 16, "n_virtual_sensors": 3, "token_size": 24, "n_heads": 3,
         "n_blocks": 2, "expansion": 2, "spectrum_scales": [1, 3], "n_spectrum_bins": 6},
    ),
    "encoder_sensors": (
        "encoder", geometry(4, 100, 2),
        {"patch_samples": 20, "n_virtual_sensors": 0, "token_size": 20, "n_heads": 4,
         "n_blocks": 2, "expansion": 3, "time": "learned", "pooling": "attention",
         "n_subjects": 2, "activation": "selu"},
    ),
}


def build(kind: str, shape: dict[str, int], config: dict[str, Any], positions: Tensor) -> nn.Module:
    if kind == "encoder":
        return encoder(shape, config, positions)
    return braindecode(kind, shape, config)


def randomise(net: nn.Module) -> None:
    """Random weights on both sides of a constraint, random running statistics."""
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.endswith("weight.original"):
                wanted = torch.linspace(0.4, 2.0, len(parameter))[:, None, None, None]
                parameter.copy_(torch.randn_like(parameter))
                row_norm = parameter.flatten(1).norm(dim=1)[:, None, None, None]
                parameter.mul_(wanted / row_norm)
            elif parameter.dim() <= 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
            else:
                parameter.add_(0.3 * parameter.std() * torch.randn_like(parameter))
        for name, buffer in net.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(0.2 * torch.randn_like(buffer))
            elif name.endswith("running_var"):
                buffer.copy_(0.5 + 1.5 * torch.rand_like(buffer))


def our_name(name: str) -> str:
    return name.replace(".forward_.", ".forward.")


def gradients(net: nn.Module, x: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    net.zero_grad()
    x = x.clone().requires_grad_()
    logits = net(x)
    F.cross_entropy(logits, labels).backward()
    found = {our_name(name): p.grad.clone() for name, p in net.named_parameters()}
    return logits.detach(), {"input": x.grad, **found}


def without_dropout(net: nn.Module) -> None:
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if hasattr(module, "att_drop"):
            module.att_drop = 0.0


def step(net: nn.Module, x: Tensor, labels: Tensor) -> None:
    vectors = [p for p in net.parameters() if p.dim() <= 1]
    others = [p for p in net.parameters() if p.dim() > 1]
    groups = [{"params": others, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.01, eps=1e-3)
    for _ in range(5):
        net.zero_grad()
        F.cross_entropy(net(x), labels).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 0.05)
        optimizer.step()


def n_flops(net: nn.Module, x: Tensor) -> int:
    """Of one window: what a second one adds, so that merging of filters is left out."""
    counts = []
    for batch in [x[:1], x[:2]]:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            net(batch)
        counts.append(counter.get_total_flops())
    return counts[1] - counts[0]


def write(name: str, number: int, out: Path) -> None:
    kind, shape, config = CASES[name]
    torch.manual_seed(SEED + number)
    positions = F.normalize(torch.randn(shape["n_channels"], 3, dtype=torch.float64)) * 0.09
    net = build(kind, shape, config, positions)
    randomise(net)
    without_dropout(net)
    x = torch.randn(N_BATCH, shape["n_channels"], shape["n_samples"])
    labels = torch.arange(N_BATCH) % shape["n_classes"]
    tensors: dict[str, Tensor] = {"input": x, "labels": labels.float()}
    if kind == "encoder":
        tensors["positions"] = positions.float()
        net.embedding = build(kind, shape, config, tensors["positions"].double()).embedding
    for key, value in net.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            tensors[f"state.{our_name(key)}"] = value.clone()
    net.eval()
    tensors["logits"], found = gradients(net, x, labels)
    tensors.update({f"grad.{key}": value for key, value in found.items()})
    flops = n_flops(net, x)
    net.train()
    tensors["train.logits"], found = gradients(net, x, labels)
    tensors.update({f"train.grad.{key}": value for key, value in found.items() if key != "input"})
    for key, value in net.state_dict().items():
        if "running_" in key:
            tensors[f"train.state.{key}"] = value.clone()
    if name == "eegnet_odd":
        step(net, x, labels)
        for key, value in net.state_dict().items():
            if not key.endswith("num_batches_tracked"):
                tensors[f"stepped.{key}"] = value.clone()
    about = {
        "network": {"kind": kind, **config},
        "geometry": shape,
        "n_parameters": sum(p.numel() for p in net.parameters()),
        "n_flops": flops,
        "torch": torch.__version__,
    }
    tensors = {key: value.float().contiguous() for key, value in tensors.items()}
    # One entry: the order of several is not the same from run to run.
    save_file(tensors, out / f"{name}.safetensors", metadata={"about": json.dumps(about)})
    print(name, about["n_parameters"], about["n_flops"], tensors["logits"][0].tolist())


def check(path: Path, golden: Path) -> None:
    """Loads a state dict that we exported and compares logits with the golden file's."""
    with safe_open(golden / path.name, "pt") as file:
        about = json.loads(file.metadata()["about"])
        x, logits = file.get_tensor("input"), file.get_tensor("logits")
    config = about["network"]
    kind = config.pop("kind")
    if kind == "encoder":
        return
    net = braindecode(kind, about["geometry"], config)
    net.load_state_dict(load_file(path))
    net.eval()
    difference = (net(x) - logits).abs().max() / logits.abs().max()
    assert difference < 1e-5, f"{path}: {difference}"
    print(f"{path.name}: {difference:.1e} of the largest logit")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--check", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for path in arguments.check:
        check(path, arguments.out)
    if not arguments.check:
        arguments.out.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(CASES):
            write(name, number, arguments.out)


if __name__ == "__main__":
    main()
