"""The 3x3 convolution, in whichever way it is computed."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from smallvision.models import convolution
from smallvision.models.convolution import Conv3x3


def draw(*shape: int) -> Tensor:
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    return drawn.to(memory_format=torch.channels_last)


@pytest.fixture(params=["fft", "direct"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    gains = {"fft": 1e9, "direct": 0.0}
    monkeypatch.setattr(convolution, "operation_ratio", lambda *_sizes: gains[request.param])
    monkeypatch.setattr(convolution, "has_mkl", lambda: True)
    for name in ("has_amx", "has_avx512"):
        monkeypatch.setattr(convolution, name, lambda: False)
    return str(request.param)


@pytest.mark.parametrize(
    ("H", "W", "pooled"),
    [(7, 7, True), (6, 7, True), (15, 4, True), (8, 8, True), (7, 7, False), (1, 3, False)],
)
@pytest.mark.parametrize("learns", [True, False])
def test_it_is_pooled_in_whichever_way(
    H: int, W: int, pooled: bool, learns: bool, way: str
) -> None:
    torch.manual_seed(0)
    conv = Conv3x3(5, 6, pooled=pooled).requires_grad_(learns)
    images = draw(3, 5, H, W).requires_grad_()
    direct = F.conv2d(images, conv.weight, padding=1)
    direct = F.max_pool2d(direct, 2) if pooled else direct
    learners = (images, conv.weight) if learns else (images,)
    out = conv(images)
    assert out.shape == direct.shape
    assert ("FftConv" in str(out.grad_fn)) == (way == "fft")
    results = [(one, *torch.autograd.grad(one.square().sum(), learners)) for one in (out, direct)]
    for mine, theirs in zip(*results, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-4)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_layer_is_the_same_to_rounding(stride: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    conv = Conv3x3(128, 128, stride)
    x = draw(64, 128, 7, 7)
    monkeypatch.setattr(convolution, "has_mkl", lambda: True)
    out = []
    for gain in (1e9, 0.0):  # always by FFT, and never
        monkeypatch.setattr(convolution, "operation_ratio", lambda *_sizes, gain=gain: gain)
        out.append(conv(x))
    assert torch.allclose(*out, atol=1e-5)
    assert torch.equal(*out) == (stride == 2), "two ways round differently"
