"""What a user would try first on own images: scikit-learn's SVC, and a plain convolutional network.

Both are chosen on the validation images that the package would take. They are written for images in
memory and know nothing of a test set.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.svm import SVC
from torch import nn

from smallvision.compute.machine import choose_machine
from smallvision.data.imageset import ImageSet
from smallvision.data.split import Split
from smallvision.shapes import Floats, Images, Labels, Shape
from smallvision.stats.paired import Correct

COSTS = (0.1, 1.0, 10.0, 100.0)  # of errors, the parameter C of an SVC
CACHE_MB = 1_000  # for rows of the kernel: scikit-learn's 200 make 10,000 images slower
BATCH, RATE = 64, 1e-3
PREDICTED = 1_000  # images at a time


@dataclass(frozen=True, eq=False)
class Baseline:
    """A fitted baseline.

    Attributes:
        predict: images -> labels.
        right: bool, which validation images it classified rightly before a final fit on all images.
        chosen: what validation chose, in words.
    """

    predict: Callable[[Images], Labels]
    right: Correct
    chosen: str


def fit_svc(images: ImageSet, split: Split) -> Baseline:
    """An SVC with an RBF kernel on pixels, C chosen on validation, then fitted on all images."""
    pixels, labels = flatten(np.asarray(images.images)), images.labels
    right = {}
    for cost in COSTS:
        model = SVC(C=cost, cache_size=CACHE_MB).fit(pixels[split.train], labels[split.train])
        right[cost] = np.asarray(model.predict(pixels[split.val]) == labels[split.val])
    best = max(COSTS, key=lambda cost: right[cost].mean())
    final = SVC(C=best, cache_size=CACHE_MB).fit(pixels, labels)
    return Baseline(lambda others: final.predict(flatten(others)), right[best], f"C={best:g}")


def flatten(images: Images) -> Floats:
    """Pixels from 0 to 1, float32 `(N, C * H * W)`."""
    return images.reshape(len(images), -1).astype(np.float32) / 255


def build_cnn(shape: Shape, num_classes: int) -> nn.Module:
    """Two convolutions with pooling and two linear layers, as in introductions to PyTorch."""
    C, H, W = shape
    return nn.Sequential(
        nn.Conv2d(C, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * (H // 4) * (W // 4), 128),
        nn.ReLU(),
        nn.Linear(128, num_classes),
    )


def fit_cnn(images: ImageSet, split: Split, *, seconds: float, seed: int) -> Baseline:
    """The plain network, trained with Adam and no augmentation; the best epoch is kept.

    Args:
        images: of which the training split is trained on.
        split: of the images.
        seconds: no epoch begins after so long; there is one at least.
        seed: of weights and order.
    """
    began = time.perf_counter()
    machine = choose_machine()
    machine.set_up()
    torch.manual_seed(seed)
    model = build_cnn(images.shape, images.num_classes).to(machine.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    pixels = centre(images.images[split.train]).to(machine.device)
    labels = torch.from_numpy(images.labels[split.train]).to(machine.device)

    def predict(others: Images) -> Labels:
        """The labels of images by the present weights."""
        with torch.inference_mode():
            found = [
                model(part.to(machine.device)).argmax(1).cpu()
                for part in torch.split(centre(others), PREDICTED)
            ]
        return torch.cat(found).numpy()

    epoch, best_epoch = 0, 0
    right: Correct = np.zeros(len(split.val), dtype=bool)
    weights = model.state_dict()
    while epoch == 0 or time.perf_counter() - began < seconds:
        epoch += 1
        for rows in torch.split(torch.randperm(len(labels)).to(machine.device), BATCH):
            loss = nn.functional.cross_entropy(model(pixels[rows]), labels[rows])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        now_right = np.asarray(predict(images.images[split.val]) == images.labels[split.val])
        if epoch == 1 or now_right.sum() > right.sum():
            right, best_epoch, weights = now_right, epoch, copy.deepcopy(model.state_dict())
    model.load_state_dict(weights)
    return Baseline(predict, right, f"epoch {best_epoch} of {epoch}")


def centre(images: Images) -> torch.Tensor:
    """Pixels from -1 to 1, float32 `(N, C, H, W)`."""
    return torch.from_numpy(images.astype(np.float32) / 127.5 - 1)
