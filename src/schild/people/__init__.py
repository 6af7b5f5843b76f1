"""People, and the values of numbers for them from catalogue and overrides."""

from schild.people.overrides import RIVALS, Given, Overrides
from schild.people.values import FEW, Draw, People, Uses, Values

__all__ = ["FEW", "RIVALS", "Draw", "Given", "Overrides", "People", "Uses", "Values"]
