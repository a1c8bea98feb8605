"""From saved models and images to probabilities."""

from smallvision.predict.average import average_models
from smallvision.predict.ensemble import Ensemble
from smallvision.predict.infer import infer_logits
from smallvision.predict.saved_model import (
    SavedModel,
    build_network,
    fingerprint_model,
    load_model,
)

__all__ = [
    "Ensemble",
    "SavedModel",
    "average_models",
    "build_network",
    "fingerprint_model",
    "infer_logits",
    "load_model",
]
