"""Shows catalogue entries: tables for a terminal, plain dictionaries for JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from schild.catalog.audit import Audit
from schild.catalog.drugs import Delivery, Drug
from schild.catalog.loader import Catalogue
from schild.evidence import BASES, VERIFIED, Number, Spread
from schild.tables import table

if TYPE_CHECKING:
    from rich.console import Console


def render_drugs(catalogue: Catalogue, console: Console) -> None:
    """Print one line per drug.

    >>> from rich.console import Console
    >>> from schild.catalog import load
    >>> render_drugs(load(), Console(quiet=True))
    """
    rows = [
        (drug.key, drug.role, " ".join(drug.routes), str(len(drug.numbers)), drug.summary)
        for drug in catalogue.drugs.values()
    ]
    heads = ("key", "role", "routes", "numbers", "summary")
    console.print(table("Drugs", heads, rows, left=[name for name in heads if name != "numbers"]))


def render_drug(drug: Drug, console: Console) -> None:
    """Print a drug with the source of each of its numbers, rivals included.

    >>> from rich.console import Console
    >>> from schild.catalog import load
    >>> render_drug(load().drug("naltrexone"), Console(quiet=True))
    """
    console.print(drug.name, f"({drug.key}), {drug.role}", markup=False)
    console.print(drug.summary, markup=False)
    if drug.routes:
        rows = []
        for route in drug.routes.values():
            for i, branch in enumerate(route.branches):
                first = (route.key, route.product, route.salt) if i == 0 else ("", "", "")
                arrives = "; ".join(_delivery(part) for part in branch.deliver)
                if route.by_dose is not None:
                    arrives += f"; all x (dose / {route.by_dose.reference})^{route.by_dose.exponent}, at most the dose"
                rows.append((*first, branch.input, arrives))
        heads: tuple[str, ...] = ("route", "product", "salt", "input", "delivers")
        console.print(table("Routes", heads, rows, left=heads))
    if drug.products:
        listed = []
        for product in drug.products.values():
            differs = f"route {product.becomes}" if product.becomes else ", ".join(product.replaces) or "nothing"
            if product.strength:
                differs += f"; taken for a dose of {drug.number(product.strength).value:g} mg"
            says = f"{product.name}. {product.says}" if product.says else product.name
            listed.append((product.route, product.key, says, differs))
        heads = ("route", "product", "is", "differs by")
        console.print(table("Products (written as: product NAME)", heads, listed, left=heads))
    if drug.structures:
        heads = ("structure", "site", "claims")
        rivals = [(s.key + (" (default)" if s.default else ""), s.site, s.says) for s in drug.structures.values()]
        console.print(table("Rival structures", heads, rivals, left=heads))
    heads = ("number", "value", "unit", "basis", "checked", "source", "where and why")
    values = [row for number in drug.numbers.values() for row in _rows(number)]
    title = "Numbers (the one in use first, rivals below it)"
    console.print(table(title, heads, values, left=[name for name in heads if name != "value"]))


def render_audit(result: Audit, console: Console) -> None:
    """Print an audit: findings first, then the evidence of the numbers.

    ``result``: from `schild.catalog.audit.audit`.

    >>> from rich.console import Console
    >>> from schild.catalog import load
    >>> from schild.catalog.audit import audit
    >>> render_audit(audit(load()), Console(quiet=True))
    """
    if result.findings:
        heads: tuple[str, ...] = ("kind", "where", "what")
        found = [(finding.kind, finding.where, finding.message) for finding in result.findings]
        console.print(table(f"{len(result.findings)} findings", heads, found, left=heads))
    else:
        console.print("No findings: every number has a unit, a basis, a source and a place in it.")
    counts = result.counts
    sizes = ("drugs", "numbers", "rivals", "spreads", "observations", "references")
    console.print(", ".join(f"{counts.get(name, 0)} {name}" for name in sizes))
    rows = []
    for kind, words in (("basis", BASES), ("verified", VERIFIED)):
        for word in words:
            seen = str(counts.get(f"observed verified: {word}", 0)) if kind == "verified" else ""
            chosen, every = counts.get(f"chosen {kind}: {word}", 0), counts.get(f"{kind}: {word}", 0)
            rows.append((f"{kind}: {word}", str(chosen), str(every), seen))
    heads = ("", "in use", "with rivals and spreads", "observed")
    console.print(table("What the numbers rest on", heads, rows))


def drug_to_dict(drug: Drug) -> dict[str, Any]:
    """Turn a drug into plain dictionaries and lists.

    Returns the fields of the entry; each number also has ``value``, the one in use.

    >>> from schild.catalog import load
    >>> drug_to_dict(load().drug("naltrexone"))["numbers"]["cl"]["value"]
    140.0
    """
    data = asdict(drug)
    for name, number in drug.numbers.items():
        data["numbers"][name] = {"value": number.value, **data["numbers"][name]}
    return data


def audit_to_dict(result: Audit) -> dict[str, Any]:
    """Turn an audit into plain dictionaries and lists.

    Returns ``ok``, ``findings`` and ``counts``.

    >>> from schild.catalog import load
    >>> from schild.catalog.audit import audit
    >>> audit_to_dict(audit(load()))["ok"]
    True
    """
    findings = [asdict(item) for item in result.findings]
    return {"ok": result.ok, "findings": findings, "counts": dict(result.counts)}


def _delivery(part: Delivery) -> str:
    amount = part.of if part.less is None else f"({part.of} - {part.less})"
    return f"{part.species}: {amount}" + (f" x {part.times}" if part.times else "")


def _rows(number: Number) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for value in (number.chosen, *number.rivals):
        chosen = value.key == number.chosen_key
        remarks = [value.locator, value.population, value.note, number.why if chosen else ""]
        rows.append(
            (
                number.name if chosen else "",
                f"{value.value:.4g}" if chosen else f"({value.value:.4g})",
                number.unit if chosen else "",
                value.basis,
                value.verified,
                ", ".join(value.source),
                " | ".join(text for text in remarks if text),
            )
        )
    spreads: list[tuple[str, Spread | None]] = [
        ("between people", number.between_subject),
        ("between occasions", number.between_occasion),
        ("uncertainty", number.uncertainty),
    ]
    for label, spread in spreads:
        if spread is not None:
            text = f"{label}: {spread.note}" if spread.note else label
            cv = f"CV {100 * spread.cv:.3g} %"
            rows.append(("", cv, "", spread.basis, spread.verified, ", ".join(spread.source), text))
    return rows
