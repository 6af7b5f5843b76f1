"""The engine's promises: same bits however a run is cut, failures stay alone, reducers mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schild.engine import layout, portable
from schild.engine.run import REDUCED, STATUS, EngineEvents, run
from schild.model.arrays import compile_spec
from schild.model.spec import Input, Ligand, ModelSpec, Receptor, Species, parameter_names

SPEC = ModelSpec(
    species=(Species(name="a", peripherals=1, feeds=("m",)), Species(name="m"), Species(name="o", peripherals=2)),
    inputs=(
        Input(name="a.oral", stages=1, delivers=("a", "m")),
        Input(name="a.pulse", stages=5, delivers=("a",)),
        Input(name="o.iv", delivers=("o",)),
        Input(name="a.infusion", prolonged=True, delivers=("a",)),
    ),
    receptors=(
        Receptor(
            name="mor",
            ligands=(Ligand(species="a"), Ligand(species="m"), Ligand(species="o", site="plasma")),
            tone=True,
        ),
        Receptor(name="kor", ligands=(Ligand(species="a"), Ligand(species="o"))),
    ),
)
TYPICAL = {
    "a.vc": 200.0, "a.cl": 150.0, "a.q": 70.0, "a.vp": 300.0, "a.fu": 0.8, "a.ke0": 0.75, "a.feeds.m": 0.6,
    "m.vc": 600.0, "m.cl": 40.0, "m.fu": 0.8, "m.ke0": 0.75,
    "o.vc": 10.0, "o.cl": 75.0, "o.q": 120.0, "o.vp": 14.0, "o.q2": 130.0, "o.vp2": 165.0, "o.fu": 0.2, "o.ke0": 5.0,
    "a.oral.rate": 1.5, "a.oral.fraction.a": 0.3, "a.oral.fraction.m": 0.5,
    "a.pulse.rate": 1.5, "a.pulse.fraction.a": 0.5, "o.iv.fraction.o": 1.0, "a.infusion.fraction.a": 1.0,
    "mor.a.kd": 0.3, "mor.a.koff": 1.8, "mor.m.kd": 2.0, "mor.m.koff": 10.0, "mor.o.kd": 3.0, "mor.o.koff": 400.0,
    "mor.endogenous.e0": 0.05, "mor.endogenous.koff": 40.0,
    "kor.a.kd": 1.0, "kor.a.koff": 0.01, "kor.o.kd": 10.0, "kor.o.koff": 3.0,
}  # fmt: skip
N = 60
TIMES = np.linspace(0.0, 30.0, 31)


def population(n=N):
    """Subjects that differ in everything, some with nearly equal rates."""
    rng = np.random.default_rng(5)
    p = {name: TYPICAL[name] * np.exp(0.3 * rng.standard_normal(n)) for name in parameter_names(SPEC)}
    for name in ("a.oral.fraction.a", "a.oral.fraction.m", "a.feeds.m", "a.fu", "m.fu", "o.fu"):
        p[name] = np.full(n, TYPICAL[name])
    p["a.ke0"][::7] = p["a.oral.rate"][::7] * (1 + 1e-9)
    p["a.pulse.rate"][::11] = p["a.ke0"][::11]
    return compile_spec(SPEC, p, n)


PROGRAM, ROWS = population()
PORT = {name: k for k, name in enumerate(PROGRAM.ports)}


def add(time, port, amount, cap=0.1):
    return (time, layout.ADD, PORT[port], amount, 1, 0.0, 0.0, 0.0, 0.0, cap)


EVENTS = EngineEvents.build(
    [
        add(0.0, "a.oral", 30000.0),
        add(0.0, "a.pulse", 20000.0),
        add(5.3, "o.iv", 3000.0, 1e-3),
        add(7.0, "a.infusion", 1000.0),
        add(9.0, "a.infusion", -1000.0),
        (12.0, layout.RESET, 0, 0.0, 1, 0.0, 0.0, 0.0, 0.0, 0.05),
        add(12.0, "o.iv", 1000.0, 1e-3),
    ]
)
SIGNALS = range(len(PROGRAM.signals))
REDUCE = {"reduced": (0, 7, 9, 13), "thresholds": (5.0, 0.5, 0.1, 0.2), "window": (1.0, 25.5)}


def execute(rows=ROWS, **options):
    return run(PROGRAM, rows, EVENTS, TIMES, SIGNALS, **{**REDUCE, **options})


def same(one, other, at=slice(None), where=slice(None)):
    for field in ("out", "reduced", "status", "counts"):
        np.testing.assert_array_equal(getattr(one, field)[at], getattr(other, field)[where])


WHOLE = execute(threads=1)


def test_all_subjects_succeed():
    assert not WHOLE.status.any()
    assert np.isfinite(WHOLE.out).all()
    assert np.isfinite(WHOLE.reduced).all()


@given(threads=st.integers(1, 3), chunk=st.integers(1, 70))
def test_threads_and_chunks_do_not_change_a_bit(threads, chunk):
    same(WHOLE, execute(threads=threads, chunk=chunk))


@given(st.lists(st.integers(0, N - 1), min_size=1, max_size=20))
def test_neighbours_do_not_change_a_bit(who):
    same(WHOLE, execute(ROWS[who]), at=who)


@given(st.lists(st.integers(0, N - 1), min_size=1, max_size=16), st.data())
def test_failing_neighbours_do_not_change_a_bit(who, data):
    rows = ROWS[who].copy()
    bad = np.array(data.draw(st.lists(st.booleans(), min_size=len(who), max_size=len(who))))
    column = data.draw(st.sampled_from([k for k, n in enumerate(PROGRAM.columns) if n not in ("zero", "one")]))
    rows[bad, column] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    result = execute(rows)
    assert (result.status[bad] == 1).all()
    assert np.isnan(result.out[bad]).all()
    assert np.isnan(result.reduced[bad]).all()
    assert (result.counts[bad] == 0).all()
    good = ~bad
    same(WHOLE, result, at=np.array(who)[good], where=good)


def test_negative_rates_are_refused():
    rows = ROWS[:3].copy()
    rows[1, PROGRAM.columns.index("mor.a.koff")] = -1.0
    assert execute(rows).status.tolist() == [0, 1, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_of_the_output(dtype):
    result = execute(dtype=dtype)
    assert result.out.dtype == dtype
    np.testing.assert_array_equal(result.out, WHOLE.out.astype(dtype))


def test_read_only_and_strided_arrays_are_taken():
    rows = np.asfortranarray(ROWS)
    rows.setflags(write=False)
    times = np.repeat(TIMES, 2)[::2]
    times.setflags(write=False)
    frozen = {name: getattr(EVENTS, name).copy() for name in EVENTS.__slots__ if getattr(EVENTS, name) is not None}
    for array in frozen.values():
        array.setflags(write=False)
    result = run(PROGRAM, rows, EngineEvents(**frozen), times, SIGNALS, **REDUCE)
    same(WHOLE, result)


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="No matching definition"):
        portable.entry("run_groups")(*[0] * len(portable.KERNELS["run_groups"].takes))


def test_a_tolerance_of_zero_ends_with_a_status():
    result = execute(ROWS[:9], rtol=0.0)
    assert (result.status == layout.STEP_TOO_SMALL).all()
    assert np.isnan(result.out[:, :, -1]).all()
    assert set(result.status.tolist()) <= set(STATUS)


def test_huge_rates_end():
    rows = ROWS[:9].copy()
    rows[:, PROGRAM.columns.index("mor.a.koff")] = 1e300
    rows[:, PROGRAM.columns.index("mor.a.kon@effect")] = 1e300
    result = execute(rows)
    assert set(result.status.tolist()) <= {layout.OK, layout.STEP_TOO_SMALL, layout.NOT_FINITE}


def test_amounts_that_overflow_end_with_a_status():
    events = EngineEvents.build([add(0.0, "a.oral", 1e308), add(0.0, "a.oral", 1e308)])
    result = run(PROGRAM, ROWS[:9], events, TIMES, SIGNALS)
    assert (result.status == layout.NOT_FINITE).all()


def test_the_cap_on_steps():
    result = execute(ROWS[:9], max_steps=20)
    assert (result.status == layout.TOO_MANY_STEPS).all()
    assert (result.counts[:, 0] == 20).all()


def test_events_of_single_subjects():
    # Each subject has its own slice of one table; the result is that of a table of its own.
    rows = [add(0.0, "a.oral", 1000.0), add(2.0, "a.oral", 500.0), add(1.0, "o.iv", 70.0, 1e-3)]
    slices = {"first": np.array([0, 2, 0]), "last": np.array([2, 3, 0])}
    table = EngineEvents.build(rows)
    both = EngineEvents(**{n: getattr(table, n) for n in EngineEvents.__slots__ if n not in slices}, **slices)
    result = run(PROGRAM, ROWS[:3], both, TIMES, SIGNALS)
    for k, own in enumerate([rows[:2], rows[2:], []]):
        alone = run(PROGRAM, ROWS[k : k + 1], EngineEvents.build(own), TIMES, SIGNALS)
        np.testing.assert_array_equal(result.out[k], alone.out[0])


def test_progress_counts_everybody():
    seen = []
    execute(chunk=16, threads=2, progress=seen.append)
    assert sum(seen) == N


def test_times_must_rise():
    with pytest.raises(ValueError, match="rise"):
        run(PROGRAM, ROWS[:1], EVENTS, np.array([0.0, 2.0, 1.0]), SIGNALS)


# ---- Reducers.


def test_reducers_agree_with_a_dense_grid():
    # Both sides of the boluses, and finer after them, where peaks last for seconds.
    burst = np.geomspace(1e-6, 0.5, 3000)
    fine = np.unique(
        np.concatenate([np.linspace(0.0, 30.0, 12001), [5.3 - 1e-9, 12.0 - 1e-9], 5.3 + burst, 12.0 + burst])
    )
    chosen = REDUCE["reduced"]
    dense = run(PROGRAM, ROWS[:16], EVENTS, fine, chosen, rtol=1e-8).out
    found = execute(ROWS[:16]).reduced
    low, high = REDUCE["window"]
    inside = (fine >= low) & (fine <= high)
    t = fine[inside]
    for i, threshold in enumerate(REDUCE["thresholds"]):
        x = dense[:, i, inside]
        peak, at, trough, area, above = (found[:, i, REDUCED.index(n)] for n in REDUCED)
        top = x.max(axis=1)
        np.testing.assert_allclose(peak, top, rtol=3e-5)
        np.testing.assert_allclose(trough, x.min(axis=1), atol=1e-4 * top.max(), rtol=0)
        reached = np.array([np.interp(a, t, row) for a, row in zip(at, x, strict=True)])
        np.testing.assert_allclose(reached, top, rtol=1e-4)
        np.testing.assert_allclose(area, np.trapezoid(x, t, axis=1), rtol=2e-4)
        first, last = x[:, :-1] - threshold, x[:, 1:] - threshold
        passed = np.where(
            first * last < 0, np.maximum(first, last) / np.maximum(np.abs(first - last), 1e-300), first > 0
        )
        np.testing.assert_allclose(above, np.sum(passed * np.diff(t), axis=1), atol=1e-4)


def test_reducers_of_one_exponential_have_closed_forms():
    spec = ModelSpec(
        species=(Species(name="x"),),
        inputs=(Input(name="iv", delivers=("x",)), Input(name="oral", stages=1, delivers=("x",))),
        receptors=(Receptor(name="r", ligands=(Ligand(species="x", site="plasma"),)),),
    )
    p = {
        "x.vc": 10.0, "x.cl": 2.0, "x.fu": 1.0, "iv.fraction.x": 1.0, "oral.rate": 0.9, "oral.fraction.x": 1.0,
        "r.x.kd": 1e9, "r.x.koff": 1.0,
    }  # fmt: skip
    program, rows = compile_spec(spec, p, 1)
    plasma = program.signal("plasma_x")

    def reduce(port, **options):
        events = EngineEvents.build([(0.0, layout.ADD, port, 100.0, 1, 0.0, 0.0, 0.0, 0.0, 0.1)])
        times = np.array([0.0, 24.0])
        result = run(program, rows, events, times, [plasma], reduced=[plasma], h_max=0.25, **options)
        return dict(zip(REDUCED, result.reduced[0, 0], strict=True))

    k, ka = 0.2, 0.9
    iv = reduce(0, thresholds=[2.0])
    assert iv["peak"] == pytest.approx(10.0, rel=1e-12)
    assert iv["peak_time_h"] == 0.0
    assert iv["trough"] == pytest.approx(10.0 * np.exp(-k * 24), rel=1e-12)
    assert iv["area"] == pytest.approx(10.0 / k * (1 - np.exp(-k * 24)), rel=1e-9)
    assert iv["time_above_h"] == pytest.approx(np.log(5.0) / k, rel=1e-6)

    oral = reduce(1)
    t_max = np.log(ka / k) / (ka - k)
    scale = 10.0 * ka / (ka - k)
    assert oral["peak"] == pytest.approx(scale * (np.exp(-k * t_max) - np.exp(-ka * t_max)), rel=1e-5)
    assert oral["peak_time_h"] == pytest.approx(t_max, abs=5e-3)
    assert oral["trough"] == pytest.approx(0.0, abs=1e-12)
    exact = scale * ((1 - np.exp(-k * 24)) / k - (1 - np.exp(-ka * 24)) / ka)
    assert oral["area"] == pytest.approx(exact, rel=1e-8)
    part = reduce(1, window=(3.0, 4.5))
    exact = scale * sum(s * (np.exp(-r * 3.0) - np.exp(-r * 4.5)) / r for s, r in ((1, k), (-1, ka)))
    assert part["area"] == pytest.approx(exact, rel=1e-8)
    assert oral["time_above_h"] == 0.0
