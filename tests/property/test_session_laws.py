"""Laws of a drinking session, for any people, occupancy and drinks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schild.catalog import load
from schild.drinking.value import day_value
from schild.engine import session
from schild.engine.session import SIGNALS
from schild.people import Values
from schild.pharmacology.alcohol import endorphin_target, opioid_reward, opioid_reward_left
from sessions import run, some_people, some_session

fraction = st.floats(0.0, 1.0)
#: A load at rest, and what alcohol makes of it: e0 x load stays below 1, the condition of the law below.
loads = st.tuples(st.floats(0.001, 0.3), st.floats(1.0, 10.0)).map(lambda x: (x[0], x[0] * x[1]))
few = settings(max_examples=15, deadline=None)


@given(fraction, fraction, loads)
def test_more_occupancy_never_brings_more_opioid_reward(a, b, load):
    e0, e = load
    low, high = sorted((a, b))
    assert opioid_reward(e, high, e0, 0.5) <= opioid_reward(e, low, e0, 0.5) + 1e-12
    assert opioid_reward_left(high, e0, e) <= opioid_reward_left(low, e0, e) + 1e-12


@given(fraction, loads)
def test_the_share_left_is_the_ratio_of_rewards(occupancy, load):
    e0, e = load
    whole = opioid_reward(e, 0.0, e0, 0.5)
    if whole > 1e-6:
        left = opioid_reward(e, occupancy, e0, 0.5) / whole
        assert left == pytest.approx(opioid_reward_left(occupancy, e0, e), abs=1e-6)


@given(fraction, st.floats(0.0, 0.3))
def test_without_release_there_is_no_opioid_reward(occupancy, e0):
    assert opioid_reward(e0, occupancy, e0, 0.5) == 0.0
    assert opioid_reward(e0, occupancy, e0, e0) == 0.0


@given(st.floats(-3.0, 0.0), st.floats(0.0, 0.3), st.floats(0.0, 3.0))
def test_no_alcohol_no_release_above_tone(falling, e0, gain):
    assert endorphin_target(0.0, falling, e0, gain, 0.4, 0.1) == e0


@few
@given(st.integers(1, 10_000), st.booleans())
def test_sober_people_are_not_changed_by_the_antagonist(seed, cued):
    people = some_people(4, seed=seed)
    grid, what = some_session(people, seed=seed)
    dry = {"given": None, "infusion": None, "offered": None, "cue": what["cue"] if cued else None}
    with_ = run(people, grid, what | dry)
    without = run(people, grid, what | dry | {"occupancy": np.zeros(people.n)})
    for name in SIGNALS:
        if name == "mu" or (name == "craving" and cued):
            continue  # the antagonist holds receptors, and takes part of what a cue does
        assert np.array_equal(with_.signal(name), without.signal(name)), name
    assert (with_.signal("craving") <= without.signal("craving") + 1e-12).all()
    assert np.allclose(with_.signal("endorphin"), people.column("e0")[:, None], rtol=0, atol=1e-15)


@few
@given(st.integers(1, 10_000))
def test_no_ethanol_is_made_or_lost(seed):
    people = some_people(4, seed=seed)
    grid, what = some_session(people, seed=seed)
    found = run(people, grid, what)
    inside = found.signal("gut") + found.signal("eliminated")
    inside = inside + people.column("vc")[:, None] * found.signal("bac")
    inside = inside + people.column("vt")[:, None] * found.signal("bac_tissue")
    swallowed = np.cumsum(what["given"], axis=1) + found.signal("drinks") * people.column("drink_g")[:, None]
    infused = np.cumsum(what["infusion"] * np.diff(grid, append=grid[-1]), axis=1)
    came = people.column("f")[:, None] * swallowed
    came[:, 1:] += infused[:, :-1]
    assert np.abs(inside / came - 1.0).max() < 1e-6
    assert found.out[:, :4].min() > -1e-9
    assert (np.diff(found.signal("eliminated")) >= -1e-12).all()


@few
@given(st.integers(1, 10_000), st.sampled_from(["share", "release"]))
def test_without_gain_or_share_an_antagonist_changes_nothing_of_reward(seed, what_is_zero):
    people = some_people(4, seed=seed)
    zero = {"share": 0.0} if what_is_zero == "share" else {"release_gain": 0.0, "release_rise": 0.0}
    people = people.with_(**zero)
    grid, what = some_session(people, seed=seed)
    fixed = what | {"offered": None}
    with_, without = run(people, grid, fixed), run(people, grid, fixed | {"occupancy": np.zeros(people.n)})
    assert np.allclose(with_.signal("reward"), without.signal("reward"), rtol=0, atol=1e-5)


@few
@given(st.integers(1, 10_000), fraction, fraction)
def test_a_full_blockade_takes_exactly_the_opioid_share(seed, a, b):
    people = some_people(4, seed=seed)
    grid, what = some_session(people, seed=seed)
    fixed = what | {"offered": None}
    low, high = sorted((a, b))
    some = run(people, grid, fixed | {"occupancy": np.full(people.n, low)}).signal("reward")
    more = run(people, grid, fixed | {"occupancy": np.full(people.n, high)}).signal("reward")
    assert (more <= some + 1e-5).all()
    full = run(people, grid, fixed | {"occupancy": np.ones(people.n)}).signal("reward")
    none = run(people.with_(share=0.0), grid, fixed | {"occupancy": np.zeros(people.n)}).signal("reward")
    assert np.allclose(full, none * (1.0 - people.column("share"))[:, None], rtol=0, atol=1e-5)


@few
@given(st.integers(1, 10_000), st.floats(0.05, 1.0))
def test_more_drink_never_lowers_the_peak(seed, more):
    people = some_people(4, seed=seed)
    grid, what = some_session(people, seed=seed)
    fixed = what | {"offered": None}
    base = run(people, grid, fixed).signal("bac").max(axis=1)
    extra = what["given"].copy()
    extra[:, 12] += more * people.volume_l
    assert (run(people, grid, fixed | {"given": extra}).signal("bac").max(axis=1) >= base - 1e-6).all()


def test_a_person_does_not_depend_on_chunk_threads_or_neighbours():
    people = some_people(50, seed=7)
    grid, what = some_session(people, seed=7)
    base = run(people, grid, what, threads=1)
    for options in ({"chunk": 1}, {"chunk": 7, "threads": 3}, {"chunk": 64, "threads": 2}):
        again = run(people, grid, what, **options)
        assert np.array_equal(base.out, again.out)
        assert np.array_equal(base.first_h, again.first_h)
    order = np.random.default_rng(1).permutation(people.n)
    own = {k: v[order] for k, v in what.items() if k in ("occupancy", "uniform", "given", "infusion")}
    mixed = session.run_sessions(
        people.rows[order], grid, own.pop("occupancy"), own.pop("uniform"), **{**what_left(what), **own}
    )
    assert np.array_equal(base.out[order], mixed.out)


def what_left(what):
    return {k: v for k, v in what.items() if k in ("cue", "offered", "most")}


@given(fraction, fraction, st.floats(0.0, 5.0))
def test_the_value_of_a_day_falls_with_occupancy(a, b, gain):
    value = day_value()
    low, high = sorted((a, b))
    for change in (value.drink, value.heavy):
        assert change(*value.felt(high, gain)) <= change(*value.felt(low, gain)) + 1e-12
        assert change(*value.felt(0.0, gain)) == 0.0
    alone = day_value(Values(load(), overrides={"alcohol.reward.share": 0.0}))
    assert value.drink(*value.felt(high, 0.0)) == pytest.approx(alone.drink(*alone.felt(high, gain)))


def test_a_person_that_breaks_down_is_marked_and_touches_nobody():
    people = some_people(3, seed=4)
    grid, what = some_session(people, seed=4)
    base = run(people, grid, what)
    rows = people.rows.copy()
    rows[1, session.PARAMETERS.index("vmax")] = np.nan
    broken = session.run_sessions(
        rows,
        grid,
        what["occupancy"],
        what["uniform"],
        given=what["given"],
        infusion=what["infusion"],
        **what_left(what),
    )
    assert broken.status.tolist() == [0, 1, 0]
    assert np.isnan(broken.out[1, :, -1]).all()
    assert np.array_equal(base.out[[0, 2]], broken.out[[0, 2]])


def test_arrays_that_do_not_fit_are_refused():
    people = some_people(2)
    grid, what = some_session(people)
    with pytest.raises(ValueError, match="uniform has shape"):
        session.run_sessions(people.rows, grid, np.zeros(2), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="occupancy runs"):
        session.run_sessions(people.rows, grid, np.full(2, 1.5), what["uniform"])
    with pytest.raises(ValueError, match="grid must rise"):
        session.run_sessions(people.rows, grid[::-1], np.zeros(2), what["uniform"])
