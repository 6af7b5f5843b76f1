"""Runs with earlier use: words and tables to doses, outputs, tolerance in effects, warnings, what is read aloud."""

from __future__ import annotations

import numpy as np
import pytest

from schild import simulate, simulation
from schild.catalog import load
from schild.errors import InputError
from schild.pharmacology.adaptation import ec50_shift, severity, sows_of_cows, tau_divisor
from schild.simulation import Run, events_of, simulate_run
from schild.simulation.aloud import aloud
from schild.simulation.caution import DEPENDENT, ONCE_USUAL, UNRELIABLE
from schild.simulation.history import FEW, plan_history
from schild.simulation.runfile import history_words, parse_history
from schild.simulation.solve import RTOL, RTOL_ONE
from schild.units import TICKS_PER_HOUR

DAY = 24 * TICKS_PER_HOUR
METHADONE = "methadone 60 mg po q24h for 90 d stopped 3 d"


# ---- words


@pytest.mark.parametrize(
    ("words", "count", "first_h", "last_h"),
    [
        ("morphine 30 mg po q6h for 60 d stopped 10 d", 240, -240 - 239 * 6, -240),
        ("morphine 30 mg po q6h for 60 d, stopped 10 d ago", 240, -240 - 239 * 6, -240),
        ("MORPHINE 30 mg PO q6h FOR 60 d STOPPED 10 d", 240, -240 - 239 * 6, -240),
        ("methadone 60 mg po q24h for 90 d", 90, -89 * 24, 0),
        ("methadone 60 mg po q24h for 12 h stopped 6 h", 1, -6, -6),
        ("heroin 25 mg iv q8h for 2 wk stopped 90 min", 42, -1.5 - 41 * 8, -1.5),
        ("morphine 2 mg/h iv for 3 h q12h for 4 d stopped 1 d", 8, -24 - 7 * 12, -24),
    ],
)
def test_words_are_a_repeated_dose_that_ends_before_time_0(words, count, first_h, last_h):
    dose = parse_history(words)
    assert dose.count == count
    assert dose.time_tick == round(first_h * TICKS_PER_HOUR)
    assert dose.time_tick + (count - 1) * dose.every_tick == round(last_h * TICKS_PER_HOUR)
    assert parse_history(history_words(dose)) == dose


def test_a_table_says_the_same_as_words():
    table = {"drug": "methadone", "amount": "60 mg", "route": "po", "every": "24 h", "days": 90, "stopped": "3 d"}
    runs = [
        Run.parse({"subject": {"history": past}}) for past in (METHADONE, [METHADONE], [{"words": METHADONE}], [table])
    ]
    assert len({run.history for run in runs}) == 1
    assert [e.tick for e in events_of(runs[0])] == [DAY * (k - 92) for k in range(90)]
    assert Run.parse({"population": {"n": 2, "history": METHADONE}}).history == runs[0].history


@pytest.mark.parametrize("who", ["subject", "population"])
def test_a_run_with_histories_is_written_and_read_back(who, tmp_path):
    many = {"n": 3} if who == "population" else {"weight": "60 kg"}
    past = [METHADONE, {"drug": "heroin", "amount": "25 mg", "route": "iv", "every": "8 h", "days": 1.5}]
    for doses in ([], ["naltrexone 50 mg po"]):
        run = Run.parse({"run": {"adaptation": "inhibitor"}, who: {**many, "history": past}, "dose": doses})
        file = tmp_path / "run.toml"
        file.write_text(run.to_toml(), encoding="utf-8")
        assert Run.from_toml(file) == run


def test_a_history_alone_runs_for_two_weeks():
    assert Run.parse({"subject": {"history": METHADONE}}).until_h == 14 * 24
    longer = Run.parse({"subject": {"history": METHADONE}, "dose": ["naltrexone 380 mg im_depot"]})
    assert longer.until_h == 42 * 24


def test_few_doses_are_simply_part_of_the_run():
    assert plan_history([parse_history("methadone 60 mg po q24h for 20 d")]) is None
    many = plan_history([parse_history("methadone 60 mg po q24h for 90 d stopped 3 d")])
    assert many is not None
    assert sum(piece.periods for piece in many.pieces) == 88
    assert FEW <= 90


def test_a_history_beside_a_start_at_steady_state_is_refused():
    with pytest.raises(InputError, match="wipes out the history"):
        simulate("naltrexone 50 mg po q24h ss", history=METHADONE)
    simulate("naltrexone 50 mg po q24h ss2", history=METHADONE, until="1 d", outputs=["cows"])


# ---- outputs


def test_the_outputs_of_adaptation_and_how_they_hang_together():
    mechanism = next(m for m in load().adaptation.values() if m.default)
    found = simulate(history=METHADONE, until="2 d", every="1 h")
    names = {f"adaptation_{name}" for name in mechanism.states}
    assert {"tolerance", "dependence", "cows", "sows", *names} <= set(found.outputs)
    assert found["cows"].unit == found["sows"].unit == "points"
    np.testing.assert_allclose(found["sows"].values, sows_of_cows(found["cows"].values.astype(float)), rtol=1e-12)
    slow = mechanism.tolerance["ventilation"].state
    reference = mechanism.numbers[str(mechanism.states[slow].reference)].value
    np.testing.assert_allclose(
        found["dependence"].values, found[f"adaptation_{slow}"].values / reference, rtol=1e-12
    )  # fmt: skip
    assert found["tolerance"].values.min() >= 1.0


def test_an_output_of_adaptation_can_be_asked_for_alone():
    whole = simulate("naltrexone 50 mg po", history=METHADONE, until="1 d")
    for name in ("cows", "tolerance", "adaptation_slow"):
        alone = simulate("naltrexone 50 mg po", history=METHADONE, until="1 d", outputs=[name])
        assert set(alone.outputs) == {name}
        # Receptors that adaptation does not follow are left out and no longer bear on the steps.
        np.testing.assert_allclose(alone[name].values, whole[name].values, rtol=1e-6)


def test_morphine_120_mg_a_day_is_a_dependence_of_one():
    found = simulate("morphine 30 mg sc q6h x4 ss", until="1 d", every="15 min", outputs=["dependence"])
    assert found["dependence"].values[0, :-1].mean() == pytest.approx(1.0, abs=0.05)


def test_use_that_lasts_makes_adaptation_and_a_single_dose_does_not():
    assert "cows" not in simulate("morphine 10 mg po", until="1 d").outputs
    assert "cows" in simulate("morphine 10 mg po q6h x9", until="3 d").outputs
    assert "cows" not in simulate("morphine 10 mg po q6h x9", until="1 d", adaptation=False).outputs
    assert "cows" in simulate("morphine 10 mg po q6h ss", until="1 h").outputs
    assert "cows" in simulate("morphine 10 mg po", until="1 d", outputs=["cows"]).outputs


# ---- tolerance in effects


def test_a_full_agonist_needs_more_and_a_partial_agonist_loses_its_maximum():
    divisor = tau_divisor(1.0, 1.0, 5.0)
    strong, weak = 40.0, 1.5
    assert strong / divisor / (1 + strong / divisor) > 0.88
    assert weak / divisor / (1 + weak / divisor) < 0.5 * weak / (1 + weak)
    assert ec50_shift(strong, divisor) > 2 * ec50_shift(weak, divisor)


def test_the_same_dose_does_less_after_earlier_use():
    past = "morphine 30 mg po q6h for 60 d stopped 2 d"
    for words, effect in (("fentanyl 100 ug iv", "ventilation"), ("morphine 10 mg iv", "analgesia")):
        naive = simulate(words, until="4 h", every="5 min", outputs=[effect], adaptation=False)[effect].values[0]
        used = simulate(words, until="4 h", every="5 min", outputs=[effect], history=past)[effect].values[0]
        assert np.abs(used - used[0]).max() < 0.95 * np.abs(naive - naive[0]).max(), effect


def test_tolerance_moves_neither_kinetics_nor_receptors():
    past = "morphine 30 mg po q6h for 60 d stopped 60 d"
    naive = simulate("fentanyl 100 ug iv", until="4 h", adaptation=False)
    used = simulate("fentanyl 100 ug iv", until="4 h", history=past)
    for name in ("plasma_fentanyl", "mor_occupancy_fentanyl"):
        np.testing.assert_allclose(used[name].values, naive[name].values, rtol=1e-4, atol=1e-9)


# ---- warnings


def begun(result):
    return [said for said in result.warnings if "is begun" in said and UNRELIABLE in said]


def lost(result):
    return [said for said in result.warnings if ONCE_USUAL in said]


def test_an_antagonist_begun_in_a_dependent_person_is_warned_of():
    found = simulate("naltrexone 50 mg po", history=METHADONE, until="2 d")
    (said,) = begun(found)
    dependence = found["dependence"].values[0, 0]
    assert dependence > DEPENDENT
    peak = found["cows"].values[0, found["cows"].time_h <= 24].max()
    assert said.startswith("Naltrexone is begun 72 h after the last dose of methadone")
    assert f"dependence of {dependence:.2f}" in said
    assert f"reach {peak:.0f} ({severity(round(float(peak))).replace('none', 'below mild')})" in said
    assert "90 % of 200 virtual people" in said


def test_the_range_is_that_of_the_people_of_the_run():
    many = simulate("naltrexone 50 mg po", history=METHADONE, until="1 d", every="15 min", n=250)
    (said,) = begun(many)
    low, high = np.quantile(many["cows"].values[:200].max(axis=1), (0.05, 0.95))
    assert f"{low:.0f} to {high:.0f} (" in said


@pytest.mark.parametrize(
    ("words", "history"),
    [
        (("naltrexone 50 mg po",), "morphine 10 mg po q6h for 3 d stopped 60 d"),
        (("morphine 10 mg po q6h x9",), ""),
        (("naltrexone 50 mg po q24h x9",), ""),
        (("naltrexone 50 mg po", "morphine 5 mg iv at 1 d", "morphine 5 mg iv at 3 d"), ""),
        (("methadone 60 mg po",), METHADONE),
    ],
)
def test_without_dependence_nothing_is_warned_of(words, history):
    assert not begun(simulate(*words, history=history, until="4 d"))


def test_a_partial_agonist_is_warned_of_only_where_it_adds_to_withdrawal():
    past = "methadone 120 mg po q24h for 90 d stopped {}"
    for stopped in ("3 h", "14 d"):
        with_, without = (
            simulate(*words, history=past.format(stopped), until="1 d", every="15 min", plain_grid=True)
            for words in (("buprenorphine 16 mg sl",), ())
        )
        added = (with_["cows"].values - without["cows"].values).max()
        assert bool(begun(with_)) == (added >= 1.0), stopped
    assert not begun(simulate("buprenorphine 16 mg sl", history="buprenorphine 16 mg sl q24h for 30 d stopped 1 d"))


def test_lost_tolerance_is_warned_of_with_its_size_and_no_dose():
    found = simulate("naltrexone 380 mg im_depot", history="morphine 30 mg po q6h for 60 d stopped 3 d", until="28 d")
    (said,) = lost(found)
    tolerance = found["tolerance"].values[0]
    assert f"needs {tolerance[-1]:.2g} times" in said
    assert f"needed {tolerance.max():.2g} times" in said
    assert " mg" not in said.replace("120 mg", "")
    assert not lost(simulate("methadone 60 mg po q24h x20", history="methadone 60 mg po q24h for 60 d", until="20 d"))
    assert not lost(simulate("naltrexone 50 mg po q24h x20", until="28 d", adaptation=True))


def test_people_behind_a_warning_are_run_as_finely_as_other_groups(monkeypatch):
    # At the tolerance of one person they would take most of the time of a run with earlier use.
    found = []

    def prepare(run, who, *args, rtol, **options):
        found.append((type(who).__name__, rtol))
        return plain(run, who, *args, rtol=rtol, **options)

    plain = simulation._prepare
    monkeypatch.setattr(simulation, "_prepare", prepare)
    simulate("naltrexone 50 mg po", history=METHADONE, until="1 d", every="6 h")
    assert found == [("Subject", RTOL_ONE), ("Subject", RTOL_ONE), ("Population", RTOL)]


def test_warnings_can_be_left_out():
    run = Run.of("naltrexone 50 mg po", subject={"history": METHADONE}, until="2 d")
    (said,) = simulate_run(run, warn=False).warnings  # the label's own interval is always said
    assert "the label warns" in said
    np.testing.assert_array_equal(simulate_run(run, warn=False)["cows"].values, simulate_run(run)["cows"].values)


# ---- aloud


def test_withdrawal_is_read_aloud_where_there_is_any():
    ill = simulate("naltrexone 50 mg po", history=METHADONE, until="2 d")
    peak = ill["cows"].values.max()
    assert f"Withdrawal (latent COWS, 0 to 48) peaks at {peak:.0f}, " in aloud(ill)
    assert "naltrexone in plasma peaks" in aloud(ill)
    many = simulate("naltrexone 50 mg po", history=METHADONE, until="2 d", n=20)
    assert "Withdrawal (latent COWS, 0 to 48) peaks at" in aloud(many)
    for words in (("naltrexone 50 mg po",), ("morphine 5 mg po q24h x3",)):
        assert "Withdrawal" not in aloud(simulate(*words, until="3 d"))
