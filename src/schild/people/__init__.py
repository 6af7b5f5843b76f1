"""People and the one way from catalogue, person and overrides to a value."""

from schild.people.overrides import RIVALS, Given, Overrides
from schild.people.values import FEW, Draw, People, Uses, Values

__all__ = ["FEW", "RIVALS", "Draw", "Given", "Overrides", "People", "Uses", "Values"]
