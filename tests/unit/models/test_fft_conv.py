"""The 3x3 convolution by FFT."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from smallvision.models import convolution, fft_conv
from smallvision.models.convolution import Conv3x3
from smallvision.models.fft_conv import FftConv, make_plan, operation_ratio, pool, unpool


def draw(seed: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return drawn.to(memory_format=torch.channels_last)


def convolve(x: Tensor, weight: Tensor, *, pooled: bool = False) -> Tensor:
    out: Tensor = FftConv.apply(x, weight, pooled)  # type: ignore[no-untyped-call]
    return out


@contextmanager
def lay_out(*, together: bool) -> Iterator[None]:
    """As bf16 is laid out, all images one matrix, or as fp32 is, in whatever type."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fft_conv, "forms_one_matrix", lambda _dtype: together)
        yield


def plan_for(side: int, *, separable: bool = True) -> fft_conv.FftPlan:
    return make_plan(side, side, side, side, torch.float64, separable=separable)


@settings(deadline=None, max_examples=100)
@given(
    st.integers(1, 5),
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 17),
    st.integers(1, 17),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_it_is_a_direct_convolution(
    N: int, C: int, D: int, H: int, W: int, pooled: bool, last: bool, together: bool
) -> None:
    pooled = pooled and min(H, W) > 1
    x, weight = draw(0, N, C, H, W), draw(1, D, C, 3, 3)
    towards = draw(2, N, D, *((H // 2, W // 2) if pooled else (H, W)))
    if not last:
        x, weight, towards = x.contiguous(), weight.contiguous(), towards.contiguous()
    x.requires_grad_()
    weight.requires_grad_()
    direct = F.conv2d(x, weight, padding=1)
    if pooled:
        direct = F.max_pool2d(direct, 2)
    with lay_out(together=together):
        ours = convolve(x, weight, pooled=pooled)
        gradients = torch.autograd.grad(ours, (x, weight), towards)
    assert torch.allclose(ours, direct, rtol=0, atol=1e-11)
    expected = torch.autograd.grad(direct, (x, weight), towards)
    for mine, theirs in zip(gradients, expected, strict=True):
        assert mine.shape == theirs.shape
        assert torch.allclose(mine, theirs, rtol=0, atol=1e-10)


def test_in_fp32_it_rounds_no_worse_than_a_direct_convolution() -> None:
    x, weight = draw(0, 16, 64, 15, 15), draw(1, 64, 64, 3, 3)
    exact = F.conv2d(x, weight, padding=1)
    errors = [
        (way(x.float(), weight.float()) - exact).norm() / exact.norm()
        for way in (convolve, lambda x, weight: F.conv2d(x, weight, padding=1))
    ]
    assert errors[0] < 1e-6
    assert errors[0] < 4 * errors[1]


@pytest.mark.parametrize("side", [7, 15])
def test_in_bf16_it_rounds_four_times_where_a_direct_convolution_rounds_once(side: int) -> None:
    x, weight = draw(0, 4, 32, side, side).bfloat16(), draw(1, 32, 32, 3, 3).bfloat16()
    x.requires_grad_()
    weight.requires_grad_()
    towards = draw(2, 4, 32, side, side).bfloat16()
    exact = F.conv2d(x.double(), weight.double(), padding=1)
    ours = convolve(x, weight)
    assert ours.dtype == torch.bfloat16
    expected = torch.autograd.grad(exact, (x, weight), towards.double())
    found = torch.autograd.grad(ours, (x, weight), towards)
    for mine, true in zip((ours, *found), (exact, *expected), strict=True):
        error = (mine.double() - true.double()).norm() / true.double().norm()
        assert error < 0.01, "half of the last of 8 bits is 0.2 %"


@pytest.mark.parametrize("frozen", ["images", "filters"])
def test_only_wanted_gradients_are_computed(frozen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = draw(0, 2, 3, 5, 5).requires_grad_(frozen != "images")
    weight = draw(1, 4, 3, 3, 3).requires_grad_(frozen != "filters")
    learner = weight if frozen == "images" else x
    (expected,) = torch.autograd.grad(F.conv2d(x, weight, padding=1).square().sum(), learner)
    loss = convolve(x, weight).square().sum()
    calls = 0
    multiply = torch.bmm

    def count(*matrices: Tensor, out: Tensor | None = None) -> Tensor:
        nonlocal calls
        calls += 1
        return multiply(*matrices, out=out)

    monkeypatch.setattr(torch, "bmm", count)
    loss.backward()
    monkeypatch.undo()
    assert learner.grad is not None
    assert torch.allclose(learner.grad, expected)
    rows = plan_for(5).filters
    parts = sum(map(len, plan_for(5).images.parts))
    # One for the gradient, one a row for its products; then the gradient that is wanted.
    assert calls == 1 + len(rows) + (len(rows) if frozen == "images" else len(rows) + parts + 1)


def test_products_are_as_few_as_was_said() -> None:
    def count(side: int, *, separable: bool = True) -> int:
        return sum(map(len, plan_for(side, separable=separable).filters))

    # 8x8 frequencies: 4 are real, and of the other 60 a half are conjugates of the rest.
    assert [count(side) for side in (3, 6, 7, 15)] == [22, 73, 94, 382]
    assert count(7, separable=False) == 94
    # With so many channels and images that only products count:
    for side in (3, 6, 7, 15):
        gain = operation_ratio(10**6, 10**6, 10**6, side, side)
        assert gain == pytest.approx(9 * side * side / count(side), rel=1e-3)


@pytest.mark.parametrize(("precision", "avx512"), [("fp32", False), ("fp32", True), ("bf16", True)])
def test_it_is_taken_where_it_was_found_to_be_faster(
    precision: str, avx512: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured: 250 images of 7x7 pixels, 256 channels, 1.7 to 2.6 times as fast in training."""
    fp32 = precision == "fp32"
    processor = {"mkl": fp32, "fast_bf16": not fp32, "amx": False, "avx512": avx512}
    for name in processor:
        monkeypatch.setattr(convolution, f"has_{name}", lambda *_device, of=name: processor[of])

    def taken(N: int, side: int, channels: int, filters: int, *, learns: bool = True) -> bool:
        conv, x = Conv3x3(channels, filters), torch.empty(N, channels, side, side)
        autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=not fp32)
        with autocast, torch.set_grad_enabled(learns):
            return conv.is_faster_by_fft(x)

    assert taken(250, 7, 256, 256)
    assert taken(250, 15, 64, 256)
    assert taken(128, 32, 128, 128)
    assert not taken(1, 7, 256, 256), "the filters' spectra cost more than one image saves"
    assert not taken(0, 7, 256, 256)
    assert not taken(250, 31, 24, 64), "few channels, and transforms of large images"
    assert taken(128, 16, 64, 64) == (not avx512), "AVX512 gains more from direct ones"
    assert taken(250, 16, 64, 128) == (not avx512)
    assert not taken(250, 16, 64, 128, learns=False), "forwards alone gains less"
    assert taken(250, 7, 256, 256, learns=False) == fp32, "predictions in bf16 are direct"
    assert not taken(250, 15, 64, 256, learns=False), "forwards alone gains less"
    processor["amx"] = True
    assert taken(250, 7, 256, 256) == fp32, "direct ones gain most from AMX"
    processor.update(mkl=False, fast_bf16=False)
    assert not taken(250, 7, 256, 256)
    assert not Conv3x3(256, 256).is_faster_by_fft(torch.empty(250, 256, 7, 7).double())


@pytest.mark.parametrize("together", [False, True])
def test_a_plan_made_while_predicting_serves_training_too(together: bool) -> None:
    make_plan.cache_clear()
    x, weight = draw(0, 2, 3, 5, 5), draw(1, 4, 3, 3, 3).requires_grad_()
    with lay_out(together=together):
        with torch.inference_mode():
            predicted = convolve(x, weight)
        out = convolve(x, weight)
        assert torch.equal(out, predicted)
        (gradient,) = torch.autograd.grad(out.square().sum(), weight)
    direct = F.conv2d(x, weight, padding=1).square().sum()
    assert torch.allclose(gradient, *torch.autograd.grad(direct, weight))


@pytest.mark.parametrize(("N", "C", "H", "W"), [(3, 4, 6, 8), (1, 1, 2, 2)])
def test_pooling_planes_is_pooling_images(N: int, C: int, H: int, W: int) -> None:
    """Of equal pixels the same one gets the gradient."""
    images = draw(0, N, C, H, W).mul(2).round().requires_grad_()
    direct = F.max_pool2d(images, 2)
    towards = draw(1, *direct.shape)
    (expected,) = torch.autograd.grad(direct, images, towards)
    for together in (False, True):
        with lay_out(together=together):
            pixels, larger = pool(fft_conv.to_matrices(images.detach()), W)
            assert torch.equal(pixels, fft_conv.to_matrices(direct))
            assert torch.equal(
                unpool(fft_conv.to_matrices(towards), *larger), fft_conv.to_matrices(expected)
            )


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("N", [1, 2])
def test_the_result_may_be_changed_in_place(N: int, pooled: bool, together: bool) -> None:
    """As a residual network does, which adds its shortcut so."""
    x, weight = draw(0, N, 3, 5, 5), draw(1, 3, 3, 3, 3).requires_grad_()
    shortcut = F.max_pool2d(x, 2) if pooled else x
    with lay_out(together=together):
        out = convolve(x, weight, pooled=pooled)
        assert out.is_contiguous(memory_format=torch.channels_last)
        out += shortcut
        (gradient,) = torch.autograd.grad(out.square().sum(), weight)
    direct = F.conv2d(x, weight, padding=1)
    direct = ((F.max_pool2d(direct, 2) if pooled else direct) + shortcut).square().sum()
    assert torch.allclose(gradient, *torch.autograd.grad(direct, weight))
