"""Sample the dose-response analysis of agonists alone, leave studies out, store draws.

``python -m calibration.dose_response`` samples with fixed seeds, prints rows, scores and criteria of
docs/design/dose-response.md, and compares with the stored numbers; ``--write`` stores the new ones. ``--quick`` leaves
out the fits without a study and that with a free slope. It needs the extra ``fit`` (NumPyro) and says so where that is
missing. No run here has an antagonist on board.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import schild.catalog
from calibration import Fitted, cv_of
from calibration.dose_model import PAIRS, centres, model, predict
from calibration.dose_rows import EFFECTS, LEVEL_DIGITS, SPECIES, Table, affinity, build_table
from calibration.files import number_of, write_numbers
from schild.array_types import Floats
from schild.catalog import load
from schild.people import Values

__all__ = ["STORED", "columns_of", "main", "today"]

STORED = Path(schild.catalog.__file__).parent / "data" / "dose_response" / "posterior.csv"
EXPOSURES = STORED.with_name("exposures.csv")

#: Chains, warm-up, kept draws of the whole fit; warm-up and kept draws of a fit without one study.
CHAINS, WARM, KEPT, LEFT_WARM, LEFT_OUT = 4, 600, 1500, 250, 300
STORED_DRAWS = 400
#: Distance of a median from the stored one that Monte Carlo error explains, in standard deviations of its draws.
MONTE_CARLO = 0.2


def sampler_of(table: Table, chains: int, warm: int, kept: int, free_liking: bool = False) -> Any:
    """Make the sampler of a table: ``chains`` of ``warm`` steps that adapt and ``kept`` draws each."""
    # Small arrays: threads inside an operation cost more than they give.
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    import jax
    from numpyro.infer import MCMC, NUTS

    jax.config.update("jax_enable_x64", True)
    arrays = dict(table.arrays) | {"n_arms": len(table.arms)}

    def of(keep: Any, prior: Any) -> None:
        model(arrays, keep, prior, free_liking=free_liking)

    return MCMC(
        NUTS(of, target_accept_prob=0.85, max_tree_depth=8), num_warmup=warm, num_samples=kept, num_chains=chains,
        chain_method="vectorized", progress_bar=False, jit_model_args=True,
    )  # fmt: skip


def draws_of(sampler: Any) -> dict[str, Floats]:
    """Draws of a sampler that has run, by name, draws first; standardised ones are left out."""
    return {k: np.asarray(v) for k, v in sampler.get_samples().items() if not k.startswith("z_")}


def key_of(seed: int) -> Any:
    """Key of JAX's random numbers."""
    import jax

    return jax.random.PRNGKey(seed)


def columns_of(draws: Mapping[str, Floats], seed: int = 5) -> dict[str, Floats]:
    """Return draws by the names of the catalogue: ``effect.number`` and ``drug.number``.

    Each draw is that of one more study: its people's ``sensitivity`` (one deviation for all effects of a study) and its
    maxima of ratings and pupils come from the population of studies.
    """
    rng = np.random.default_rng(seed)
    n = len(draws["theta"])
    study = np.exp(draws["sigma_study"] * rng.standard_t(4.0, n))
    out: dict[str, Floats] = {}
    for k, effect in enumerate(EFFECTS):
        out[f"{effect}.reserve"] = draws["reserve"][:, k]
        out[f"{effect}.slope"] = draws["slope"][:, k]
        out[f"{effect}.spread"] = draws["omega"][:, k]
        out[f"{effect}.sensitivity"] = study
    out["liking.range"] = 100.0 / (1.0 + np.exp(-draws["odds_top"] - draws["sigma_top"] * rng.standard_normal(n)))
    out["pupil.range"] = draws["range"] * np.exp(0.15 * rng.standard_normal(n))
    for s, key in enumerate(SPECIES):
        out[f"{key}.mor.factor"] = draws["kd"][:, s] / affinity(key)
        odds = np.exp(draws["odds"][:, s])
        out[f"{key}.mor.efficacy"] = odds / (1.0 + odds)
    for key, k in PAIRS:
        out[f"{EFFECTS[k]}.transduction.{key}"] = draws["x"][:, k, SPECIES.index(key)]
    # Pain relief by kappa holds the factor of pentazocine (`calibrate.effects`), scans that of buprenorphine; an effect
    # tells the ratio of potency and factor.
    for drug, effect in (("pentazocine", "liking"), ("buprenorphine", "ventilation_isohypercapnic")):
        factor = load().drug(drug).number("mor.factor").value
        out[f"{effect}.transduction.{drug}"] = (
            out[f"{effect}.transduction.{drug}"] * factor / out.pop(f"{drug}.mor.factor")
        )
    return out | {
        "between.threshold": draws["sigma_study"],
        "between.maximum": draws["sigma_top"],
        "tolerance.dependent": draws["theta"],
    }


def _write(columns: Mapping[str, Floats], table: Table) -> None:
    """Store what entered, some of the draws, and what all of them say in the catalogue's files."""
    lines = [f"{','.join(key)},{value:.{LEVEL_DIGITS}g}" for key, value in table.exposures.items()]
    EXPOSURES.write_text("\n".join(["regimen,at,quantity,value", *lines]) + "\n", encoding="utf-8")
    few = thinned(columns)
    text = "\n".join([",".join(few), *(",".join(f"{v:.5g}" for v in row) for row in zip(*few.values(), strict=True))])
    STORED.write_text(text + "\n", encoding="utf-8")
    write_numbers(fitted_of(columns))
    write_numbers(sensitivities_of(columns), key="typical")


def thinned(columns: Mapping[str, Floats]) -> dict[str, Floats]:
    """The draws that are stored, for bands."""
    step = len(next(iter(columns.values()))) // STORED_DRAWS
    return {name: v[::step][:STORED_DRAWS] for name, v in columns.items()}


def fitted_of(columns: Mapping[str, Floats]) -> list[Fitted]:
    """Numbers of the catalogue: medians of all draws, with the CV of their spread."""
    found = []
    for name, value in columns.items():
        owner, _, number = name.partition(".")
        kind = number.rpartition(".")[2]
        # A study's own deviation has no typical value but one.
        if owner in ("between", "tolerance") or kind in ("spread", "sensitivity"):
            continue
        cv = cv_of(float(np.var(_unbounded(name, value))))
        found.append(Fitted(drug=owner, name=number, value=float(np.median(value)), cv=cv))
    return found


def sensitivities_of(columns: Mapping[str, Floats]) -> list[Fitted]:
    """``sensitivity`` of each effect: one by definition, with its CVs between studies and between people."""
    return [
        Fitted(
            drug=effect, name="sensitivity", value=1.0,
            cv=cv_of(float(np.var(np.log(columns[f"{effect}.sensitivity"])))),
            between_people=cv_of(float(np.median(columns[f"{effect}.spread"])) ** 2),
        ) for effect in EFFECTS
    ]  # fmt: skip


def _unbounded(name: str, value: Floats) -> Floats:
    """Log odds of an efficacy, logarithm of any other number."""
    return np.log(value / (1.0 - value)) if name.endswith("efficacy") else np.log(value)


def today(table: Table, changed: Mapping[str, float] | None = None) -> Floats:
    """What the catalogue's effects say of every row, for the typical person; a printed placebo is taken over.

    ``changed``: values in place of the catalogue's by ``owner.number``.
    """
    a = table.arrays
    catalogue = load()
    values = Values(catalogue, overrides=dict(changed or {}))
    effects = [catalogue.effects[e] for e in EFFECTS]
    reserve = np.array([values.typical(e, "reserve") for e in EFFECTS])
    kd = np.array([affinity(s) * values.typical(s, "mor.factor") for s in SPECIES])
    share = np.array([values.typical(s, "mor.efficacy") for s in SPECIES])
    x = np.ones((len(EFFECTS), len(SPECIES)))
    for k, e in enumerate(effects):
        for drug, name in e.transduction.items():
            if drug in SPECIES:
                x[k, SPECIES.index(drug)] = values.typical(EFFECTS[k], name)
    top = np.where(a["series_pupil"] > 0, values.typical("pupil", "range"), values.typical("liking", "range") / 100.0)
    base = np.zeros(len(table.series))
    for k, given in enumerate(a["given"]):
        if not given:
            base[a["row_series"][k]] = a["value"][k]
    slope = [values.typical(e.key, str(e.slope)) for e in effects]
    p = {
        "reserve": reserve, "slope": np.array(slope), "omega": np.zeros(4),
        "kd": kd, "odds": np.log(share / (1.0 - share)), "x": x, "eta": np.zeros(len(table.arms)), "theta": 0.0,
        "top": top, "placebo": base,
    }  # fmt: skip
    scale, curve = predict(p, dict(a) | {"spread": np.zeros_like(a["spread"])}, np)
    return np.concatenate([scale, curve])


def seen(table: Table) -> tuple[Floats, Floats]:
    """Observed values and the standard deviation by which errors are weighed: printed error and 0.03 of the scale."""
    a = table.arrays
    full = np.where(a["group"] == 1, 4.0, 1.0)
    seen = np.concatenate([a["value"], a["curve_value"]])
    return seen, np.concatenate([np.sqrt(a["se"] ** 2 + (0.03 * full) ** 2), a["curve_se"]])


def _interval(draws: Mapping[str, Floats], seed: int) -> Floats:
    """Quantiles 5, 50 and 95 % of a new observation of each row, shape (3, n_rows)."""
    rng = np.random.default_rng(seed)
    return np.quantile(draws["said"] + draws["sd"] * rng.standard_normal(draws["sd"].shape), [0.05, 0.5, 0.95], axis=0)


def r_hat_of(sampler: Any) -> dict[str, float]:
    """Return the largest R-hat of each population number."""
    from numpyro.diagnostics import gelman_rubin

    found = {}
    for name, value in sampler.get_samples(group_by_chain=True).items():
        if name in ("reserve", "slope", "omega", "kd", "sigma_x", "sigma_study", "sigma_top", "theta", "top_typical"):
            found[name] = float(np.max(gelman_rubin(np.asarray(value))))
    return found


def effective(sampler: Any) -> float:
    """Return the least effective number of draws of the population numbers."""
    from numpyro.diagnostics import effective_sample_size

    samples = sampler.get_samples(group_by_chain=True)
    return min(float(np.min(effective_sample_size(np.asarray(samples[name])))) for name in r_hat_of(sampler))


def left_out(sampler: Any, table: Table) -> Floats:
    """Intervals of every row, predicted without its study, shape (3, n_rows).

    Each fit begins at the whole one and adapts anew. What belongs to the study alone (its deviations, maxima and
    placebo levels) enters no other row, so it is drawn afresh from the population.
    """
    out = np.zeros((3, len(table.ids)))
    begin = {k: np.asarray(v) for k, v in sampler.last_state.z.items()}
    again = sampler_of(table, 1, LEFT_WARM, LEFT_OUT)
    for k, study in enumerate(table.studies):
        rows = np.array([s == study for s in table.study_of])
        again.run(key_of(100 + k), 1.0 - rows, centres(), init_params=begin)
        out[:, rows] = _interval(_anew(draws_of(again), table, 2000 + k), 1000 + k)[:, rows]
        print(f"    without {study:26s} {int(rows.sum()):3d} rows", flush=True)
    return out


def _anew(draws: Mapping[str, Floats], table: Table, seed: int) -> dict[str, Floats]:
    """Predictions of population draws for studies like these: deviations, maxima and placebo drawn from the model."""
    rng = np.random.default_rng(seed)
    a = table.arrays
    pupil, rise = a["series_pupil"] > 0, a["series_rise"]
    said = []
    for k in range(len(draws["theta"])):
        z = rng.standard_normal((2, len(table.series)))
        mu, sigma = (draws[name][k] for name in ("odds_top", "sigma_top"))
        odds = np.where(a["series_own"] > 0, 1.5 * z[0], mu + sigma * z[0])
        top = np.where(pupil, draws["range"][k] * np.exp(0.15 * z[0]), 1.0 / (1.0 + np.exp(-odds)))
        base = np.where(pupil, 0.5 + 0.5 * z[1], 0.05 + 0.1 * z[1]) * (1.0 - rise)
        p = {n: draws[n][k] for n in ("reserve", "slope", "omega", "kd", "odds", "x", "theta")}
        p |= {"eta": draws["sigma_study"][k] * rng.standard_t(4.0, len(table.arms)), "top": top, "placebo": base}
        said.append(np.concatenate(predict(p, a, np)))
    return {"said": np.array(said), "sd": draws["sd"]}


def main(arguments: list[str] | None = None) -> int:
    """Sample, print, compare with the stored numbers; 1 if one is farther away than Monte Carlo error explains."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if find_spec("numpyro") is None:
        print("Left out: the dose-response analysis needs NumPyro (python -m pip install 'schild[fit]').")
        return 0
    begin = time.perf_counter()
    table = build_table()
    sampler = sampler_of(table, CHAINS, WARM, KEPT)
    sampler.run(key_of(20261129), np.ones(len(table.ids)), centres(), extra_fields=("diverging",))
    diverged = int(np.asarray(sampler.get_extra_fields()["diverging"]).sum())
    draws = draws_of(sampler)
    print(f"{len(table.ids)} rows of {len(table.studies)} studies; {diverged} of {CHAINS * KEPT} draws diverged")
    moved = sum(load().exposures.get(key) != value for key, value in table.exposures.items())
    print(f"{moved} of {len(table.exposures)} levels and spreads that enter differ from the stored ones")
    print("largest R-hat: " + ", ".join(f"{k} {v:.3f}" for k, v in r_hat_of(sampler).items()))
    print(f"effective draws: at least {effective(sampler):.0f}")
    columns = columns_of(draws)
    for name, value in columns.items():
        low, mid, high = np.quantile(value, [0.05, 0.5, 0.95])
        print(f"    {name:52s} {mid:9.4g}  ({low:.4g} to {high:.4g})")
    observed, weight = seen(table)
    fitted, old = _interval(draws, 1), today(table)
    print(f"in sample {time.perf_counter() - begin:.0f} s")
    outside = None
    if "--quick" not in arguments:
        single = sampler_of(table, 1, WARM, 50)
        single.run(key_of(7), np.ones(len(table.ids)), centres())
        outside = left_out(single, table)
    header = f"    {'row':38s} {'seen':>7s} {'catalogue':>9s} {'fit':>7s} {'without its study (90 %)':>30s}"
    print(header)
    for k, key in enumerate(table.ids):
        q = fitted[:, k] if outside is None else outside[:, k]
        mark = "" if q[0] <= observed[k] <= q[2] else "  outside"
        band = f"{q[1]:10.3f} ({q[0]:.3f} to {q[2]:.3f}){mark}"
        print(f"    {key:38s} {observed[k]:7.3f} {old[k]:9.3f} {fitted[1, k]:7.3f} {band}")

    def rms(said: Floats, rows: Any = slice(None)) -> float:
        return float(np.sqrt(np.mean(((observed - said) / weight)[rows] ** 2)))

    inside = (fitted[0] <= observed) & (observed <= fitted[2])
    print(f"in sample: {inside.mean():.0%} inside, weighted error {rms(fitted[1]):.2f} (catalogue {rms(old):.2f})")
    if outside is not None:
        inside = (outside[0] <= observed) & (observed <= outside[2])
        everything = {"all": np.ones(len(observed), dtype=bool)} | _fields(table)
        series = {r["id"] for r in load().dose_series}  # read by no fit of the catalogue's effects before
        new = np.array([key in series or key in ("yassen2007_fentanyl",) for key in table.ids])
        everything |= {"new rows": new} | {f"new, {name}": new & rows for name, rows in _fields(table).items()}
        everything = {name: rows for name, rows in everything.items() if rows.any()}
        print("studies left out:")
        for name, rows in everything.items():
            errors = f"weighted error {rms(outside[1], rows):.2f} (catalogue {rms(old, rows):.2f})"
            print(f"    {name:12s} {inside[rows].mean():.0%} of {int(rows.sum())} rows inside; {errors}")
        free = sampler_of(table, 1, WARM, KEPT, free_liking=True)
        free.run(key_of(8), np.ones(len(table.ids)), centres())
        slopes = {"with its prior": draws["slope"], "with a prior that says nothing": draws_of(free)["slope"]}
        for name, value in slopes.items():
            low, mid, high = np.quantile(value[:, 2], [0.05, 0.5, 0.95])
            print(f"slope of liking in one person, {name}: {mid:.2f} ({low:.2f} to {high:.2f})")
    if "--write" in arguments:
        _write(columns, table)
        return 0
    found = distances(columns)
    bad = [name for name, (stored, now, _) in found.items() if abs(stored - now) > 0.005 * abs(stored)]
    for name in bad:
        print("DIFFERS {}: stored median {:.4g}, now {:.4g}, {:.2f} SD apart".format(name, *found[name]))
    largest = max(found[f"{n.drug}.{n.name}"][2] for n in fitted_of(columns))
    print(f"{len(bad)} of {len(found)} medians differ in their second digit; {time.perf_counter() - begin:.0f} s")
    print(f"numbers in use are at most {largest:.3f} SD of their draws apart (Monte Carlo error: {MONTE_CARLO})")
    return 1 if largest > MONTE_CARLO else 0


def distances(columns: Mapping[str, Floats]) -> dict[str, tuple[float, float, float]]:
    """Stored median, median now and their distance in standard deviations of the draws, of every column.

    A number in use is compared by all draws, any other column by those that are stored.
    """
    used = {f"{n.drug}.{n.name}": number_of(n).value for n in fitted_of(columns)}
    few = thinned(columns)
    found = {}
    for name, draws in load().posterior.items():
        stored = used.get(name, float(np.median(draws)))
        now = float(np.median(columns[name] if name in used else few[name]))
        low, high = _unbounded(name, np.array([stored, now]))
        found[name] = (stored, now, float(abs(high - low) / np.std(_unbounded(name, columns[name]))))
    return found


def _fields(table: Table) -> dict[str, Any]:
    """Rows by effect."""
    a = table.arrays
    effect = np.concatenate([np.where(a["group"] == 1, 1, np.where(a["group"] >= 2, 0, 2)), a["curve_effect"]])
    return {name: effect == k for k, name in enumerate(("breathing", "pupil", "liking", "pain relief"))}


if __name__ == "__main__":
    raise SystemExit(main())
