"""People and the one way from catalogue, person and overrides to a value."""

from schild.people.overrides import Overrides

__all__ = ["Overrides"]
