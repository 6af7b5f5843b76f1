"""The statistical model of the dose-response analysis: one person, the mean of people, studies and scales.

``predict`` is plain array arithmetic and runs under NumPy and JAX alike; ``model`` is the NumPyro model around it. The
equations and priors are those of docs/design/dose-response.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from calibration.dose_rows import BEFORE, EFFECTS, SPECIES

__all__ = ["PAIRS", "blocks", "centres", "model", "predict", "stimulus_response"]

#: Pairs of species and effect with their own rows: only they have a separate potency.
PAIRS = (
    ("fentanyl", 0), ("morphine", 0), ("m6g", 0), ("oxycodone", 0), ("buprenorphine", 0),
    ("morphine", 1), ("hydromorphone", 1), ("oxycodone", 1), ("mam", 1),
    ("morphine", 2), ("hydromorphone", 2), ("oxycodone", 2), ("mam", 2), ("hydrocodone", 2), ("pentazocine", 2),
    ("morphine", 3),
)  # fmt: skip
_PAIR_SPECIES = np.array([SPECIES.index(s) for s, _ in PAIRS])
_PAIR_EFFECT = np.array([e for _, e in PAIRS])
_CONFLICT = PAIRS.index(("buprenorphine", 0))
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def centres() -> dict[str, Any]:
    """Centres of the priors, and spread of the constants: constants [log nM], efficacies [log odds]."""
    kd, e = (np.array(column) for column in zip(*(BEFORE[s] for s in SPECIES), strict=True))
    sd = [0.25 if s == "buprenorphine" else 0.7 if s == "oxymorphone" else 1.5 for s in SPECIES]
    return {"kd": np.log(kd), "kd_sd": np.array(sd), "odds": np.log(e / (1.0 - e))}


def stimulus_response(strength: Any, ratio: Any, slope: Any, blocked: Any = 0.0) -> Any:
    """Fraction of the response of the system; ``strength`` and ``ratio`` have species last, ``slope`` broadcasts.

    ``blocked``: occupancy by antagonists over the free fraction.
    """
    total = (ratio * strength).sum(-1) / (1.0 + strength.sum(-1) + blocked)
    power = (total + 1e-12) ** slope
    return power / (1.0 + power)


def predict(p: Mapping[str, Any], a: Mapping[str, Any], xp: Any) -> tuple[Any, Any]:
    """Predict scale rows (share of the scale) and curve rows.

    Parameters
    ----------
    p : mapping
        Numbers: ``reserve``, ``slope``, ``omega`` (n_effects,); ``kd`` and ``odds`` (n_species,); ``x`` (n_effects,
        n_species); ``eta`` (n_arms,) log threshold of a study; ``theta``; ``top`` and ``placebo`` (n_series,).
    a : mapping
        Arrays of the table.
    xp : module
        ``numpy`` or ``jax.numpy``.

    Returns
    -------
    scale, curve : ndarray, shapes (n_scale_rows,), (n_curves,)
    """
    ratio = p["reserve"][:, None] * xp.exp(p["odds"])[None, :]
    at = a["node_effect"]
    level = a["felt"] * p["x"][at] / p["kd"][None, :]
    shift = -p["eta"][a["node_arm"]] - p["theta"] * a["node_people"]
    sd = xp.sqrt(p["omega"][at] ** 2 + a["spread"] ** 2)
    strength = level[:, None, :] * xp.exp(shift[:, None] + sd[:, None] * _NODES[None, :])[:, :, None]
    f = stimulus_response(strength, ratio[at][:, None, :], p["slope"][at][:, None]) @ _WEIGHTS
    mean = a["average"] @ f
    top, base = p["top"][a["row_series"]], p["placebo"][a["row_series"]]
    scale = xp.where(a["group"] >= 2, mean, base + (top - base) * mean)
    return scale, _curves(p, a, ratio, xp)


def _curves(p: Mapping[str, Any], a: Mapping[str, Any], ratio: Any, xp: Any) -> Any:
    s, e = a["curve_species"], a["curve_effect"]
    tau, slope = ratio[e, s], p["slope"][e]
    top = tau**slope / (1.0 + tau**slope)
    kind = a["curve_kind"]
    goal = xp.where(kind == 2, top / 2.0, a["curve_fraction"])
    felt = (goal / (1.0 - goal)) ** (1.0 / slope)
    # Stimulus S at v = x c / K alone: S = tau v / (1 + v). A partial agonist that does not reach it gets a large value.
    v = felt / xp.maximum(tau - felt, 1e-3)
    level = xp.log(v * p["kd"][s] / p["x"][e, s]) + p["eta"][a["curve_arm"]]
    # Effects pooled over liking and pupil: mean of the two log ratios, small doses.
    both = []
    for effect in (1, 2):
        per = ratio[effect] * p["x"][effect] / p["kd"]
        both.append(xp.log((a["curve_reference"] @ per + 1e-9) / (a["curve_other"] @ per + 1e-9)))
    ratio_of_doses = 0.5 * (both[0] + both[1]) + p["eta"][a["curve_arm"]]
    by_kind = (level, xp.log(slope), level, 1.0 - top, ratio_of_doses)  # as `KINDS` of dose_rows
    return sum(xp.where(kind == k, value, 0.0) for k, value in enumerate(by_kind))


def blocks(p: Mapping[str, Any], a: Mapping[str, Any], xp: Any) -> Any:
    """Return the share of an opioid's mean effect that an antagonist blocks in each challenge, shape (n_blocks,).

    ``p``: as for ``predict``, with ``blocker`` (n_antagonists,), deviations of their log occupancy over the free
    fraction in standard deviations; ``a``: arrays of the table with challenges.
    """
    e = a["block_effect"]
    ratio = (p["reserve"][:, None] * xp.exp(p["odds"])[None, :])[e]
    level = a["block_felt"] * p["x"][e][:, None, :] / p["kd"]
    sd = xp.sqrt(p["omega"][e][:, None] ** 2 + a["block_spread"] ** 2)
    shift = xp.exp(sd[:, :, None] * _NODES - p["eta"][a["block_arm"]][:, None, None])
    by = a["block_by"] * xp.exp(a["block_by_sd"] * p["blocker"][a["block_who"]])
    blocked = xp.stack([xp.zeros_like(by), by], -1)[:, :, None]
    strength = level[:, :, None, :] * shift[..., None]
    mean = stimulus_response(strength, ratio[:, None, None, :], p["slope"][e][:, None, None], blocked) @ _WEIGHTS
    return 1.0 - mean[:, 1] / mean[:, 0]


def model(a: Mapping[str, Any], keep: Any, prior: Mapping[str, Any], free_liking: bool = False) -> None:
    """Sample the model; ``keep`` is 1 for rows that count, 0 for rows of a study left out, challenges last."""
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from jax.scipy.stats import norm

    def normal(name: str, centre: Any, sd: Any) -> Any:
        shape = np.broadcast_shapes(np.shape(centre), np.shape(sd))
        return centre + sd * numpyro.sample(f"z_{name}", dist.Normal(0.0, 1.0).expand(shape).to_event(len(shape)))

    k = len(EFFECTS)
    reserve = jnp.exp(normal("reserve", np.log(2.57) * np.ones(k), 0.7))
    common = normal("common_slope", np.log(1.5), 0.5)
    log_slope = common + 0.4 * numpyro.sample("z_slope", dist.Normal(0.0, 1.0).expand((k,)).to_event(1))
    if free_liking:
        log_slope = log_slope.at[2].set(normal("liking_slope", np.log(1.5), 2.0))
    omega = jnp.exp(normal("omega", np.log(0.5) * np.ones(k), 0.4))
    kd = jnp.exp(normal("kd", prior["kd"], prior["kd_sd"]))
    odds = jnp.minimum(normal("odds", prior["odds"], 0.5), np.log(0.97 / 0.03))
    sigma_x = numpyro.sample("sigma_x", dist.HalfNormal(0.5))
    raw = numpyro.sample("z_x", dist.Normal(0.0, 1.0).expand((len(PAIRS),)).to_event(1))
    size = jnp.where(np.arange(len(PAIRS)) == _CONFLICT, 2.0, sigma_x)
    x = jnp.ones((k, len(SPECIES))).at[_PAIR_EFFECT, _PAIR_SPECIES].set(jnp.exp(raw * size))
    sigma_study = numpyro.sample("sigma_study", dist.HalfNormal(0.5))
    eta = sigma_study * numpyro.sample("z_eta", dist.StudentT(4.0, 0.0, 1.0).expand((int(a["n_arms"]),)).to_event(1))
    theta = numpyro.sample("theta", dist.HalfNormal(1.0))
    mu_top = normal("top", 1.4, 1.0)
    sigma_top = numpyro.sample("sigma_top", dist.HalfNormal(0.7))
    log_range = normal("range", np.log(4.0), 0.3)
    n_series = a["series_own"].shape[0]
    raw_top = numpyro.sample("z_series_top", dist.Normal(0.0, 1.0).expand((n_series,)).to_event(1))
    odds_top = jnp.where(a["series_own"] > 0, 1.5 * raw_top, mu_top + sigma_top * raw_top)
    pupil = a["series_pupil"] > 0
    top = jnp.where(pupil, jnp.exp(log_range + 0.15 * raw_top), 1.0 / (1.0 + jnp.exp(-odds_top)))
    raw_base = numpyro.sample("z_placebo", dist.Normal(0.0, 1.0).expand((n_series,)).to_event(1))
    placebo = jnp.where(pupil, 0.5 + 0.5 * raw_base, 0.05 + 0.1 * raw_base) * (1.0 - a["series_rise"])
    misfit = numpyro.sample("misfit", dist.HalfNormal(0.03))
    p = {
        "reserve": reserve, "slope": jnp.exp(log_slope), "omega": omega, "kd": kd, "odds": odds, "x": x, "eta": eta,
        "theta": theta, "top": top, "placebo": placebo,
    }  # fmt: skip
    for name in ("reserve", "slope", "omega", "kd", "odds", "x", "eta", "top", "placebo"):
        numpyro.deterministic(name, p[name])
    numpyro.deterministic("odds_top", mu_top)
    numpyro.deterministic("top_typical", 1.0 / (1.0 + jnp.exp(-mu_top)))
    numpyro.deterministic("range", jnp.exp(log_range))
    scale, curve = predict(p, a, jnp)
    said = jnp.concatenate([scale, curve])
    full = jnp.where(a["group"] == 1, 4.0, 1.0)  # the pupil is in mm
    sd = jnp.concatenate([jnp.sqrt(a["se"] ** 2 + (misfit * full) ** 2), a["curve_se"]])
    numpyro.deterministic("said", said)
    numpyro.deterministic("sd", sd)
    seen = jnp.concatenate([a["value"], a["curve_value"]])
    with numpyro.handlers.mask(mask=keep[: len(seen)] > 0):
        numpyro.sample("rows", dist.Normal(said, sd).to_event(0), obs=seen)
    if "block_value" not in a:
        return
    p["blocker"] = numpyro.sample("z_blocker", dist.Normal(0.0, 1.0).expand((2,)).to_event(1))
    numpyro.deterministic("blocker", p["blocker"])
    block = numpyro.deterministic("block", blocks(p, a, jnp))
    z = (block - a["block_value"]) / a["block_sd"]
    side = a["block_side"]
    said_of = jnp.where(side == 0.0, -0.5 * z**2, norm.logcdf(side * z))
    numpyro.factor("challenges", (said_of * keep[len(seen) :]).sum())
