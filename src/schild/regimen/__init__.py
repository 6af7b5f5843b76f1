"""Regimens: words, tables and Python become doses, and doses become a table of single events.

Names of drugs and routes are only read here; whether the catalogue has them is asked later.
"""

from schild.regimen.dose import Dose as Dose
from schild.regimen.dose import Event as Event
from schild.regimen.dose import Regimen as Regimen
from schild.regimen.expand import expand as expand
from schild.regimen.words import combine as combine
from schild.regimen.words import parse_regimen as parse_regimen
