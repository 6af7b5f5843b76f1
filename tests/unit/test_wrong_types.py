"""Arguments of the wrong type: one message in words, and results that can be iterated."""

import pytest

import schild
from schild.errors import InputError
from schild.observed import read_observed

FENTANYL, TABLET = "fentanyl 1.625 mg iv", "naltrexone 50 mg po"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: schild.rescue(FENTANYL, delay=60, n=8), "delay is 60; expected words"),
        (lambda: schild.rescue(FENTANYL, history=5, n=8), "history is 5; expected words"),
        (lambda: schild.rescue(FENTANYL, n="10"), "n is '10'; expected 1 to"),
        (lambda: schild.rescue(FENTANYL, altitude="2500 m", n=8), r"altitude is '2500 m'; expected a number \[m\]"),
        (lambda: schild.rescue(FENTANYL, weight="70 kg", n=8), r"weight is '70 kg'; expected a number \[kg\]"),
        (lambda: schild.run_trial("absent.toml"), "'absent.toml' is not a file"),
        (lambda: schild.run_trial(5), "The trial is 5; expected a Trial"),
        (lambda: schild.compare([TABLET, "naltrexone 100 mg po"]), "expected a label for each"),
        (lambda: schild.compare({"a": schild.simulate(TABLET), "b": TABLET}), "'a' is of type Result; expected"),
        (lambda: schild.compare({"a": 5, "b": TABLET}), "'a' is of type int; expected a regimen"),
        (lambda: schild.simulate(TABLET, population=[1]), r"The population is \[1\]; expected entries by name"),
        (lambda: schild.simulate(TABLET, subject="60 kg"), "The subject is '60 kg'; expected entries by name"),
        (lambda: schild.simulate(TABLET, history=5), r"subject.history: .* \(given 5\)"),
        (lambda: schild.forecast(TABLET, levels=None), "No level was given"),
        (lambda: schild.explain(5), "No drug is called '5'"),
        (lambda: schild.load(None), "An overlay is None"),
        (lambda: schild.simulate(TABLET, catalogue="mine"), r"Write catalogue=schild.load"),
        (lambda: schild.schild_fit(None), "The table is None"),
        (lambda: read_observed(5), "The table is 5"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_one_message(call, says):
    with pytest.raises(InputError, match=says):
        call()


def test_a_result_is_iterated_by_its_names():
    """``"x" in result`` and ``list(result)`` ended as AttributeError, as Python asked for result[0]."""
    result = schild.simulate(TABLET, until="1 h")
    assert list(result) == list(result.outputs)
    assert "plasma_naltrexone" in result
    assert "plasma_morphine" not in result
    fit = schild.schild_fit("examples/schild_curves.csv")
    assert "pa2" in fit
    assert list(fit) == list(fit.estimates)
