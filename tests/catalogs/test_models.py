"""Every model of the catalogue, through one suite."""

import pytest
import torch

from smallvision.models import MODELS
from smallvision.models.blocks import ACTIVATIONS, SqueezeExcite
from tests.support.models import SMALL

SHAPES = [(1, 8, 8), (3, 32, 32), (3, 33, 47), (1, 28, 28), (3, 96, 96), (3, 224, 224)]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shape", SHAPES)
def test_gives_logits_for_any_shape(name: str, shape: tuple[int, int, int]) -> None:
    model = MODELS[name].build(shape, 7, **SMALL[name]).eval()
    logits = model(torch.zeros(2, *shape))
    assert logits.shape == (2, 7)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", MODELS)
def test_says_whether_it_takes_other_sizes(name: str) -> None:
    model = MODELS[name].build((3, 32, 32), 7, **SMALL[name]).eval()
    try:
        takes = model(torch.zeros(2, 3, 24, 20)).shape == (2, 7)
    except RuntimeError:
        takes = False
    assert takes == MODELS[name].any_size


@pytest.mark.parametrize("name", MODELS)
def test_same_seed_gives_the_same_weights(name: str) -> None:
    weights = []
    for _ in range(2):
        torch.manual_seed(3)
        weights.append(MODELS[name].build((3, 16, 16), 5, **SMALL[name]).state_dict())
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_learns(name: str) -> None:
    torch.manual_seed(0)
    model = MODELS[name].build((3, 16, 16), 5, **SMALL[name])
    model(torch.randn(4, 3, 16, 16)).square().sum().backward()
    still = [
        n
        for n, p in model.named_parameters()
        if p.requires_grad and (p.grad is None or not p.grad.any())
    ]
    assert not still


@pytest.mark.parametrize("name", ["vgg10", "wide_resnet"])
def test_dropout_acts_in_training_alone(name: str) -> None:
    torch.manual_seed(0)
    model = MODELS[name].build((3, 16, 16), 5, **SMALL[name], dropout=0.5)
    images = torch.randn(4, 3, 16, 16)
    assert not torch.equal(model.train()(images), model(images))
    assert torch.equal(model.eval()(images), model(images))


def test_published_sizes() -> None:
    def millions(name: str, **settings: int) -> float:
        model = MODELS[name].build((3, 32, 32), 10, **settings)
        return sum(p.numel() for p in model.parameters()) / 1e6

    # arXiv 1605.07146, table 4: WRN-16-8 has 11.0 million parameters, WRN-40-4 8.9, WRN-28-10 36.5.
    assert millions("wide_resnet", depth=16, width=8) == pytest.approx(11.0, abs=0.05)
    assert millions("wide_resnet", depth=40, width=4) == pytest.approx(8.9, abs=0.06)
    assert millions("wide_resnet", depth=28, width=10) == pytest.approx(36.5, abs=0.05)
    assert millions("vgg10") < 14.7 / 5  # VGG-16 with a small-image head has 14.7


def test_wide_resnet_refuses_an_odd_depth() -> None:
    with pytest.raises(ValueError, match="6n \\+ 4"):
        MODELS["wide_resnet"].build((3, 32, 32), 10, depth=12)


@pytest.mark.parametrize("name", ["vgg10", "wide_resnet"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_changes_the_function_alone(name: str, activation: str) -> None:
    networks = []
    for settings in ({}, {"activation": activation}):
        torch.manual_seed(3)
        networks.append(MODELS[name].build((3, 16, 16), 5, **SMALL[name], **settings).eval())
    first, second = (network.state_dict() for network in networks)
    assert list(first) == list(second), "saved weights of one fit the other"
    assert all(torch.equal(first[key], second[key]) for key in first)
    images = torch.randn(4, 3, 16, 16)
    assert torch.equal(networks[0](images), networks[1](images)) == (activation == "relu")


@pytest.mark.parametrize("name", ["vgg10", "wide_resnet"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_parameter_learns_with_squeeze_and_activation(name: str, activation: str) -> None:
    torch.manual_seed(0)
    model = MODELS[name].build((1, 16, 16), 5, **SMALL[name], se_ratio=16, activation=activation)
    model(torch.randn(8, 1, 16, 16)).square().sum().backward()
    still = [
        n
        for n, p in model.named_parameters()
        # A hidden unit that no image wakes is no fault of the wiring.
        if p.grad is None or (not p.grad.any() and ".gates.0." not in n)
    ]
    assert not still


@pytest.mark.parametrize(("name", "blocks"), [("vgg10", 4), ("wide_resnet", 3)])
def test_squeeze_adds_two_small_layers_a_block(name: str, blocks: int) -> None:
    plain = MODELS[name].build((3, 16, 16), 5, **SMALL[name])
    squeezed = MODELS[name].build((3, 16, 16), 5, **SMALL[name], se_ratio=8)
    excites = [module for module in squeezed.modules() if isinstance(module, SqueezeExcite)]
    added = sum(p.numel() for p in squeezed.parameters()) - sum(
        p.numel() for p in plain.parameters()
    )
    widths = [excite.gates[2].out_features for excite in excites]
    assert len(widths) == blocks
    assert added == sum(2 * C * max(4, C // 8) + max(4, C // 8) + C for C in widths)


def test_squeeze_weighs_channels_by_their_means() -> None:
    torch.manual_seed(0)
    excite = SqueezeExcite(6, 3)
    x = torch.randn(2, 6, 5, 7)
    gates = excite(x) / x
    assert torch.allclose(gates, gates[:, :, :1, :1].expand_as(gates), atol=1e-5)
    assert ((gates > 0) & (gates < 1)).all()
    # Where pixels are makes no difference to the gates; how bright they are does.
    assert torch.allclose(excite(x.flip(-1)), excite(x).flip(-1), atol=1e-6)
    assert not torch.allclose(excite(x + 1) / (x + 1), gates, atol=1e-3)


def test_squeeze_acts_on_the_residual_branch_alone() -> None:
    model = MODELS["wide_resnet"].build((3, 16, 16), 5, **SMALL["wide_resnet"], se_ratio=4).eval()
    block = model.blocks[0]
    x = torch.randn(2, 16, 8, 8)
    with torch.no_grad():
        block.excite.gates[2].weight.zero_()
        block.excite.gates[2].bias.fill_(-100.0)  # gates all but shut
        assert torch.allclose(block(x), x)
