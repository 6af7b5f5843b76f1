"""Laboratory sessions with alcohol, and the loss of its reward under an antagonist."""

from schild.drinking.drinks import grams
from schild.drinking.experiment import Laboratory, laboratory
from schild.drinking.protocols import PROTOCOLS, Protocol, protocol
from schild.drinking.value import DayValue, day_value

__all__ = [
    "PROTOCOLS",
    "DayValue",
    "Laboratory",
    "Protocol",
    "day_value",
    "grams",
    "laboratory",
    "protocol",
]
