"""Physiology of breathing, oxygen and circulation: one module per publication, one relation per function.

``spencer1979`` has the gas content of blood, ``mann2022`` the published model of opioid overdose and rescue. A rival
physiology is a further module.
"""

from typing import Any, TypeAlias

from schild.array_types import Floats

__all__ = ["Real", "Record"]

#: A number or an array; functions also take lists.
Real: TypeAlias = float | Floats
#: Numbers of one group, such as ``flow``: each ``flow.<name>`` of the catalogue (``data/rescue``, with unit and
#: source) is an attribute, a number or an array of people.
Record: TypeAlias = Any
