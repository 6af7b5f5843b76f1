"""Options that commands share: a user's own data and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from schild.errors import InputError

if TYPE_CHECKING:
    from schild.catalog import Catalogue

__all__ = ["Data", "Numbers"]


@Parameter(name="*")
@dataclass(frozen=True)
class Data:
    """The option ``--catalogue``.

    Parameters
    ----------
    overlays
        File or folder of your own TOML data that lies over the catalogue; say it again for more. Those of the
        environment variable SCHILD_CATALOGUE lie below.
    """

    overlays: Annotated[list[str] | None, Parameter(name="--catalogue")] = None

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue with the overlays over it."""
        from schild.catalog import load

        return self._own if self.overlays else load()

    @cached_property
    def _own(self) -> Catalogue:
        from schild.catalog import load

        return load(*(self.overlays or ()))


@Parameter(name="*")
@dataclass(frozen=True)
class Numbers(Data):
    """The options ``--catalogue`` and ``--set``.

    Parameters
    ----------
    overlays
        File or folder of your own TOML data that lies over the catalogue; say it again for more. Those of the
        environment variable SCHILD_CATALOGUE lie below.
    values
        A number in place of the catalogue's: naltrexone.cl="120 L/h"; say it again for more.
    """

    values: Annotated[list[str] | None, Parameter(name="--set")] = None

    @property
    def overrides(self) -> dict[str, float | str]:
        """Values by ``owner.number``; the verbs check names and units."""
        found: dict[str, float | str] = {}
        for text in self.values or ():
            name, equals, value = (part.strip() for part in text.partition("="))
            if not (equals and name and value):
                raise InputError(
                    f"--set is {text!r}; expected a number and its value. Write it like naltrexone.cl='120 L/h'."
                )
            if name in found:
                raise InputError(f"--set gives {name} twice; expected once. Drop one of them.")
            try:
                found[name] = float(value)
            except ValueError:
                found[name] = value
        return found
