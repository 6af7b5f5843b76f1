"""Regimens: words, tables and Python become doses, and doses become a table of single events.

Names of drugs and routes are only read here; whether the catalogue has them is asked later.
"""

from schild.regimen.dose import Dose as Dose
from schild.regimen.dose import Event as Event
from schild.regimen.dose import Regimen as Regimen
from schild.regimen.expand import expand as expand
from schild.regimen.nonmem import read_nonmem as read_nonmem
from schild.regimen.nonmem import read_nonmem_rows as read_nonmem_rows
from schild.regimen.nonmem_write import to_nonmem as to_nonmem
from schild.regimen.table import event_table as event_table
from schild.regimen.table import render_event_table as render_event_table
from schild.regimen.words import parse_regimen as parse_regimen
