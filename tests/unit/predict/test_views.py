"""Several views of an image."""

import numpy as np
import pytest
import torch
from torch import nn

from smallvision.predict import SavedModel, Views, load_model
from smallvision.records.machine import Machine

IMAGES = torch.arange(2 * 3 * 6 * 5).remainder(251).to(torch.uint8).view(2, 3, 6, 5)


def test_one_view_is_the_image() -> None:
    assert [(w, v is IMAGES) for w, v in Views().list(IMAGES)] == [(1.0, True)]


def test_six_views() -> None:
    views = list(Views(mirror=True, shift=1).list(IMAGES))
    assert [weight for weight, _ in views] == [0.25, 0.25, 0.125, 0.125, 0.125, 0.125]
    assert all(view.shape == IMAGES.shape and view.dtype == torch.uint8 for _, view in views)
    assert torch.equal(views[1][1], IMAGES.flip(-1))
    down, up = views[2][1], views[4][1]
    assert torch.equal(down[:, :, 1:, 1:], IMAGES[:, :, :-1, :-1])
    assert torch.equal(up[:, :, :-1, :-1], IMAGES[:, :, 1:, 1:])
    assert torch.equal(down[:, :, 0, 1:], IMAGES[:, :, 1, :-1]), "the border is mirrored"


@pytest.mark.parametrize("views", [Views(), Views(mirror=True), Views(shift=2)])
def test_a_model_remembers_how_it_looks(views: Views, tmp_path: object) -> None:
    from pathlib import Path

    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 5, 4)).eval()
    model = SavedModel(
        network,
        {"name": "mlp"},
        ("a", "b", "c", "d"),
        (3, 6, 5),
        (0.5,) * 3,
        (0.2,) * 3,
        epoch=1,
        views=views,
        machine=Machine("cpu", "fp32", compiled=False, threads=1),
    )
    alone = SavedModel(**{**model.__dict__, "views": Views()})
    expected = sum(
        weight * alone.predict_logits(view.numpy()) for weight, view in views.list(IMAGES)
    )
    assert np.allclose(model.predict_logits(IMAGES.numpy()), expected, atol=1e-5)
    assert isinstance(tmp_path, Path)
    model.save(tmp_path)
    import json

    assert json.loads((tmp_path / "model.json").read_text())["views"] == views.record()
    assert load_model  # a round trip of a whole model is in tests/contracts
