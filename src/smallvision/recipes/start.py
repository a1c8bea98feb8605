"""A recipe that begins with the weights of another model."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.errors import SettingError
from smallvision.recipes.settings.recipe import Recipe
from smallvision.records.schema.settings.networks import EnsembleSettings, NetworkSettings


@dataclass(frozen=True)
class Start:
    """The model whose weights a run begins with.

    Attributes:
        network: its settings.
        fingerprint: of the saved model.
    """

    network: NetworkSettings
    fingerprint: str

    def begin(self, recipe: Recipe) -> Recipe:
        """The recipe with this network and its weights to begin with.

        Raises:
            SettingError: it is of another family than the recipe's network, or an ensemble.
        """
        if isinstance(self.network, EnsembleSettings):
            raise SettingError("an ensemble is no start: its networks differ; name one of them")
        if self.network.name != recipe.model.name:
            raise SettingError(
                f"the start is a {self.network.name}, and '{recipe.name}' trains a "
                f"{recipe.model.name}; both must be of one family"
            )
        start = recipe.start.model_copy(update={"model": self.fingerprint})
        return recipe.model_copy(update={"model": self.network, "start": start})
