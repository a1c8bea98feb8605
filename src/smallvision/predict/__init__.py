"""From saved models and images to probabilities."""

from smallvision.predict.distillation_targets import build_distillation_targets
from smallvision.predict.ensemble import Ensemble, list_members
from smallvision.predict.features import find_features
from smallvision.predict.infer import infer_logits
from smallvision.predict.network import build_network, fill_network, sketch_network
from smallvision.predict.recalibrate_batchnorm import refresh_norms
from smallvision.predict.saliency import find_saliency
from smallvision.predict.saved_model import SavedModel, load_model
from smallvision.predict.take_over import check_start, find_head, take_over
from smallvision.predict.tta import Tta
from smallvision.predict.weight_average import average_models

__all__ = [
    "Ensemble",
    "SavedModel",
    "Tta",
    "average_models",
    "build_distillation_targets",
    "build_network",
    "check_start",
    "fill_network",
    "find_features",
    "find_head",
    "find_saliency",
    "infer_logits",
    "list_members",
    "load_model",
    "refresh_norms",
    "sketch_network",
    "take_over",
]
