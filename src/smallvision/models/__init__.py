"""Networks as readable single files, and the catalogue that names them."""

from smallvision.models.catalog import MODELS, ModelEntry

__all__ = ["MODELS", "ModelEntry"]
