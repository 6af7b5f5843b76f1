"""``schild drugs``: the catalogue."""

from __future__ import annotations

from schild.cli.console import out
from schild.cli.options import Data, Json
from schild.errors import InputError


def drugs(name: str | None = None, /, *, json: Json = False, audit: bool = False, data: Data = Data()) -> int:
    """Show the catalogue, with the source of each number.

    Parameters
    ----------
    name
        One drug, with every number and its rivals; all drugs, a line each, by default.
    audit
        Check that every number has a unit, a basis, a source and a place in it, and that claims name experiments and
        figures that exist; the command exits with status 1 if not.
    """
    from schild.catalog.show import audit_to_dict, drug_to_dict, render_audit, render_drug, render_drugs
    from schild.results import json_text

    catalogue = data.catalogue
    if audit:
        if name is not None:
            raise InputError(f"--audit and the drug {name!r} were given; expected one of them: the whole is checked. "
                             "Leave the drug out.")  # fmt: skip
        from schild.catalog.audit import audit as check
        from schild.explanation import check_book

        found = check(catalogue, check_book)
        if json:
            print(json_text(audit_to_dict(found)))
        else:
            render_audit(found, out())
        return 0 if found.ok else 1
    if name is None:
        if json:
            print(json_text({"drugs": {key: drug_to_dict(drug) for key, drug in catalogue.drugs.items()}}))
        else:
            render_drugs(catalogue, out())
        return 0
    drug = catalogue.drug(name)
    if json:
        print(json_text(drug_to_dict(drug)))
    else:
        render_drug(drug, out())
    return 0
