import torch

from benchmarks.throughput.predict import measure_predict
from smallvision.models import MODELS
from smallvision.predict import SavedModel, Tta
from tests.support.measurements import CPU


def test_predictions_include_test_time_augmentation() -> None:
    torch.manual_seed(0)
    network = MODELS["mlp"].build((1, 8, 8), 3, hidden=(8,)).eval()
    augmentations = {"one": Tta(), "six": Tta(mirror=True, shift=1)}
    models = {
        name: SavedModel(
            network, {"name": "mlp"}, ("a", "b", "c"), (1, 8, 8), (0.5,), (0.2,), 1, tta=some,
            machine=CPU,
        )
        for name, some in augmentations.items()
    }  # fmt: skip
    measured = measure_predict(models, CPU, rounds=3).models
    assert measured["one"].parameters == 64 * 8 + 2 * 8 + 8 * 3 + 3
    assert measured["one"].images_per_second > measured["six"].images_per_second
    assert measured["one"].latency_seconds > 0
