"""Random event tables through the reader, the expansion, the model and the engine, against a second computation.

The bar is 1e-8 of the maximum of each concentration curve, in plasma and at the effect site.
"""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest

from plainly import Bench, Linear, Row, gap
from schild.catalog import load
from schild.errors import InputError
from schild.model.build import build
from schild.people import Values
from schild.population import Subject, people_of
from schild.regimen import Dose, expand, read_nonmem
from schild.simulation.solve import solve
from schild.units import TICKS_PER_HOUR, Amount, amount_nmol

BAR = 1e-8
HOUR = TICKS_PER_HOUR
MINUTE = HOUR // 60
#: Compartments of the tables; every drug that can be given, and every kind of route.
CMT = {
    number: name
    for number, name in enumerate(
        [
            ("naltrexone", "oral"), ("naltrexone", "iv"), ("naltrexone", "im_depot"), ("beta_naltrexol", "iv"),
            ("morphine", "oral"), ("morphine", "oral_er"), ("morphine", "iv"), ("morphine", "im"), ("m6g", "iv"),
            ("heroin", "iv"), ("heroin", "in"), ("fentanyl", "iv"), ("fentanyl", "in"), ("hydromorphone", "oral"),
            ("hydromorphone", "iv"), ("naloxone", "iv"), ("naloxone", "in"), ("naloxone", "im"),
        ],
        1,
    )
}  # fmt: skip
STRUCTURES = (
    "plasma_equilibrium", "effect_compartment", "slow_receptor", "effect_compartment_slow_receptor", "plasma_and_store",
)  # fmt: skip


def cell(tick):
    """Hours that read back as exactly this many ticks."""
    return repr(tick / HOUR)


def table(seed):
    """Rows of one random table (dicts of columns, times in ticks), in order of time."""
    rng = np.random.default_rng([41, seed])
    pick = [int(c) for c in rng.choice(list(CMT), size=int(rng.integers(1, 4)), replace=False)]
    grid = MINUTE * int(rng.choice([15, 60, 7]))
    words = seed % 2 == 1  # lag and f are no columns, so every other table is made of Dose
    rows = []
    tick = -int(rng.integers(0, 40)) * grid if rng.random() < 0.3 else 0
    for _ in range(int(rng.integers(2, 9))):
        if rows and rng.random() < 0.75:
            tick += int(rng.integers(1, 60)) * grid
        if rows and rng.random() < 0.12:
            rows.append({"TIME": tick, "EVID": 3})
            continue
        cmt = int(rng.choice(pick))
        row = {"TIME": tick, "EVID": 1, "CMT": cmt, "AMT": float(np.round(rng.uniform(1, 60), 3))}
        kind = rng.random()
        if kind < 0.45 and CMT[cmt][1] != "im_depot":
            duration = int(rng.choice([grid, 2 * HOUR, 6 * HOUR, 8 * HOUR, 12 * HOUR, 26 * HOUR, 41 * grid]))
            if rng.random() < 0.5:
                row["DUR"] = duration
            else:  # RATE, so that AMT over RATE is this long
                row["RATE"] = row["AMT"] / (duration / HOUR)
        if rng.random() < 0.6:
            row["II"] = int(rng.choice([4 * HOUR, 6 * HOUR, 8 * HOUR, 12 * HOUR, 24 * HOUR, 31 * grid]))
            row["ADDL"] = int(rng.integers(0, 6))
            if rng.random() < 0.4:
                row["SS"] = int(rng.choice([1, 2]))
        elif rng.random() < 0.15 and CMT[cmt][1] != "im_depot":
            row = {
                "TIME": tick,
                "EVID": 1,
                "CMT": cmt,
                "AMT": 0.0,
                "RATE": row["AMT"] / 8,
                "SS": int(rng.choice([1, 2])),
            }
        if rng.random() < 0.12:
            row["EVID"] = 4
        if words:
            lags = [0, grid, 3 * HOUR, row.get("II", HOUR), row.get("II", HOUR) + grid, 2 * row.get("II", HOUR)]
            row["lag"] = int(rng.choice(lags)) if rng.random() < 0.5 else 0
            row["f"] = float(np.round(rng.uniform(0.05, 1.2), 2)) if rng.random() < 0.5 else 1.0
        rows.append(row)
    return rows, words


def as_regimen(rows, words):
    if words:
        return [
            Dose(evid=3, time=r["TIME"] / HOUR)
            if r["EVID"] == 3
            else Dose(
                drug=CMT[r["CMT"]][0], route=CMT[r["CMT"]][1], time=r["TIME"] / HOUR, evid=r["EVID"],
                amount=Amount(r["AMT"], "mg") if r["AMT"] else None,
                duration=r["DUR"] / HOUR if "DUR" in r else None,
                rate=f"{r['RATE']!r} mg/h" if "RATE" in r else None,
                every=r["II"] / HOUR if "II" in r else None, count=r["ADDL"] + 1 if "II" in r else None,
                ss=r.get("SS", 0), lag=r["lag"] / HOUR, f=r["f"],
            )
            for r in rows
        ]  # fmt: skip
    names = ["TIME", "AMT", "RATE", "DUR", "II", "ADDL", "SS", "EVID", "CMT"]
    text = [",".join(names)]
    for r in rows:
        text.append(
            ",".join("." if n not in r else cell(r[n]) if n in ("TIME", "DUR", "II") else repr(r[n]) for n in names)
        )
    return read_nonmem(io.StringIO("\n".join(text)), CMT, amount_unit="mg")


def as_plain(rows, catalogue):
    """The same rows in nmol, without the package's reader."""
    found = []
    for r in rows:
        if r["EVID"] == 3:
            found.append(Row(tick=r["TIME"], evid=3))
            continue
        drug, route = CMT[r["CMT"]]
        d = catalogue.drug(drug)
        salt = d.routes[route].salt
        factor = 1.0 if salt in ("base", "") else d.number(d.salts[salt]).value
        one = amount_nmol(Amount(1, "mg"), d.number(d.mw).value, factor)
        constant = not r["AMT"]
        duration = r.get("DUR", 0)
        if "RATE" in r and not constant:
            duration = round(r["AMT"] / r["RATE"] * HOUR)
        found.append(
            Row(
                tick=r["TIME"], evid=r["EVID"], drug=drug, route=route, nmol=r["AMT"] * one, duration=duration,
                rate=r["RATE"] * one if constant else 0.0, ii=r.get("II", 0), addl=r.get("ADDL", 0),
                ss=r.get("SS", 0), lag=r.get("lag", 0), f=r.get("f", 1.0),
            )
        )  # fmt: skip
    return found


def wiped(rows):
    """Whether a dose is followed, at its very time, by a start at steady state that would take it away."""
    return any(
        later.get("SS") == 1 and "CMT" in row and row["TIME"] == later["TIME"]
        for k, row in enumerate(rows)
        for later in rows[k + 1 :]
    )


def check(seed):
    """Largest relative difference of a curve, or None for a table that is refused."""
    catalogue = load()
    rows, words = table(seed)
    regimen = as_regimen(rows, words)
    last = max(r["TIME"] + r.get("II", 0) * r.get("ADDL", 0) for r in rows)
    until = min(last + 48 * HOUR, 240 * HOUR)
    # Also soon after each dose, so that no curve is only seen long after its maximum.
    given = {r["TIME"] + k * r.get("II", 0) + r.get("lag", 0) for r in rows for k in range(r.get("ADDL", 0) + 1)}
    soon = {tick + wait * MINUTE for tick in given for wait in (0, 5, 30)}
    times = sorted({t for t in {*range(0, until, 90 * MINUTE), *soon} if rows[0]["TIME"] <= t <= until})
    if wiped(rows):
        with pytest.raises(InputError, match="would wipe out"):
            expand(regimen, times[-1])
        return None
    events = expand(regimen, times[-1])
    values = Values(catalogue, people_of(Subject(), catalogue, 1))
    structure = STRUCTURES[seed % 4] if any(e.drug == "naltrexone" for e in events) else None

    def rebuild(some):
        return build(values, some, receptors=("mor",), structure=structure)

    built = rebuild(events)
    # Receptors do not act on concentrations, so their start is left out: it would need a common period.
    built = replace(built, starts=(), entries=tuple(e for e in built.entries if not e.port.isdigit()))
    found = solve(built, 1, times, threads=1)
    assert found.engine.status[0] == 0
    signals = dict(zip(found.names, found.engine.out[0], strict=True))
    expected = Linear(built, catalogue).curves(as_plain(rows, catalogue), times)
    return gap(signals, expected)[0]


def test_a_curve_cut_off_at_its_very_start():
    # The metabolite at the effect site in the first 20 minutes after an injection that is then wiped out: 4e-4 nM at
    # most, of which the engine's sums of exponentials lose 2e-11 nM. The one miss in 3000 tables (889) is of this kind.
    bench = Bench("naltrexone 59 mg im_depot; reset at 20 min", "1 h", step="5 min")
    nmol = bench.nmol("naltrexone", "im_depot", "59 mg")
    rows = [Row(tick=0, drug="naltrexone", route="im_depot", nmol=nmol), Row(tick=20 * MINUTE, evid=3)]
    found = bench.engine()
    for name, values in Linear(bench.built, bench.catalogue).curves(rows, bench.times).items():
        error = np.abs(found[name] - values).max()
        assert error <= BAR * values.max() or (name == "effect_beta_naltrexol" and error < 1e-10), name


@pytest.mark.parametrize("seed", range(30))
def test_random_tables(seed):
    error = check(seed)
    assert error is None or error <= BAR


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_many_random_tables(block):
    errors = {seed: check(seed) for seed in range(30 + block, 530, 10)}
    assert sum(error is not None for error in errors.values()) >= 35
    missed = {seed: error for seed, error in errors.items() if error is not None and not error <= BAR}
    assert not missed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_random_steady_states_of_receptors(seed):
    # One to three regimens at steady state together: their receptors start on the joint course, to 1e-6.
    rng = np.random.default_rng([43, seed])
    words, given = [], []
    for k, (drug, route) in enumerate(
        [("morphine", "oral"), ("morphine", "iv"), ("naloxone", "iv"), ("hydromorphone", "oral"), ("fentanyl", "iv")][
            seed % 3 : seed % 3 + int(rng.integers(1, 4))
        ]
    ):
        every, lag = int(rng.choice([3, 4, 6, 8, 12])), float(rng.choice([0.0, 0.5, 6.0, 9.25]))
        lasts = float(rng.choice([0.0, 1.0, 4.0, 9.0]))
        amount = f"{rng.uniform(0.1, 5):.2f} mg"
        over = f" over {lasts} h" if lasts else ""
        words.append(f"{drug} {amount} {route}{over} q{every}h ss{'2' if k else ''} lag {lag} h")
        doses = range(-150 // every, 24 // every + 1)
        given += [(drug, route, amount, every * n + lag, *([lasts] if lasts else [])) for n in doses]
    Bench("; ".join(words), "24 h", receptors=("mor", "kor")).agrees(*given)
