"""The 3x3 convolution that packs small images for its weight gradient."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from smallvision.models import convolution, packed_weight_grad
from smallvision.models.convolution import Conv3x3
from smallvision.models.packed_weight_grad import PackedConv, pack_rows


def draw(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)
    return images.to(memory_format=torch.channels_last)


@pytest.mark.parametrize("count", [1, 4, 9])
@pytest.mark.parametrize("side", [1, 2, 3, 5, 7, 8])
def test_it_has_the_gradients_of_a_direct_convolution(side: int, count: int) -> None:
    x = draw(count, 3, side, side).requires_grad_()
    weight = draw(4, 3, 3, 3).requires_grad_()
    towards = draw(count, 4, side, side)
    direct = F.conv2d(x, weight, padding=1)
    expected = torch.autograd.grad(direct, (x, weight), towards)
    out = PackedConv.apply(x, weight)  # type: ignore[no-untyped-call]
    assert torch.equal(out, direct)
    for ours, theirs in zip(torch.autograd.grad(out, (x, weight), towards), expected, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_no_gradient_is_computed_towards_images_that_need_none(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def differentiate(
        x: Tensor, filters: Tensor, gradient: Tensor, wanted: tuple[bool, bool, bool]
    ) -> object:
        asked.append(wanted)
        return direct(x, filters, gradient, wanted)

    direct = packed_weight_grad.differentiate
    monkeypatch.setattr(packed_weight_grad, "differentiate", differentiate)
    weight = draw(4, 3, 3, 3, dtype=dtype).requires_grad_()
    PackedConv.apply(draw(5, 3, 7, 7, dtype=dtype), weight).sum().backward()  # type: ignore[no-untyped-call]
    assert asked == [(False, True, False)]
    assert weight.grad is not None
    assert weight.grad.count_nonzero() > 0


def test_rows_hold_the_images_in_order_with_zeros_between() -> None:
    images = draw(5, 2, 7, 7)
    rows = pack_rows(images)
    assert rows.shape == (2, 2, 7, 32)
    assert rows.is_contiguous(memory_format=torch.channels_last)
    for i, image in enumerate(images):
        row, place = divmod(i, 4)
        assert torch.equal(rows[row, :, :, 8 * place : 8 * place + 7], image)
    assert rows.count_nonzero() == images.count_nonzero()


@pytest.fixture
def amx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "has_amx", lambda: True)


@pytest.mark.usefixtures("amx")
@pytest.mark.parametrize("side", [4, 7, 8])
def test_in_bf16_the_way_changes_nothing_but_the_time(
    side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    conv = Conv3x3(16, 32)
    x = draw(6, 16, side, side, dtype=torch.float32)
    towards = draw(6, 32, side, side, dtype=torch.bfloat16)
    results = []
    for fast in (True, False):
        monkeypatch.setattr(convolution, "has_amx", lambda fast=fast: fast)
        images = x.clone().requires_grad_()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert conv.is_faster_packed(images) == fast
            out = conv(images)
        results.append((out, *torch.autograd.grad(out, (images, conv.weight), towards)))
    for ours, theirs in zip(*results, strict=True):
        assert ours.dtype == theirs.dtype
        assert (ours - theirs).float().norm() <= 0.01 * theirs.float().norm()


@pytest.mark.usefixtures("amx")
def test_only_where_it_was_found_to_be_faster() -> None:
    conv, x = Conv3x3(8, 8), draw(2, 8, 7, 7, dtype=torch.float32)
    assert not conv.is_faster_packed(x), "without autocast"
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert conv.is_faster_packed(x)
        assert not conv.is_faster_packed(draw(2, 8, 9, 9)), "images are wide enough"
        assert not conv.is_faster_packed(x.contiguous()), "pixels of a channel lie together"
        with torch.no_grad():
            assert not conv.is_faster_packed(x), "no gradient is wanted"
        conv.requires_grad_(False)
        assert not conv.is_faster_packed(x), "none towards the filters"


@pytest.mark.usefixtures("amx")
def test_a_strided_convolution_is_a_direct_one() -> None:
    conv, x = Conv3x3(8, 8, stride=2), draw(2, 8, 7, 7, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = conv(x)
        assert torch.equal(out, F.conv2d(x, conv.weight, stride=2, padding=1))
