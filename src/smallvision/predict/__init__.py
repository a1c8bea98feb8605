"""From saved models and images to probabilities."""

from smallvision.predict.infer import infer_logits
from smallvision.predict.saved_model import (
    SavedModel,
    build_network,
    fingerprint_model,
    load_model,
)

__all__ = ["SavedModel", "build_network", "fingerprint_model", "infer_logits", "load_model"]
