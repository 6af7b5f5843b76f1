"""Step B: the update of the stored draws by the released challenges, and what the committed rule says of it."""

from dataclasses import replace

import numpy as np
import pytest

from schild.calibrate import challenge_fit
from schild.calibrate.challenge_fit import StepB, step_b


def made(n=4000):
    rng = np.random.default_rng(3)
    numbers = rng.standard_normal((n, 2))
    said = np.column_stack([2.0 * numbers[:, 0], numbers[:, 1]])
    return StepB(
        ids=("a", "b"), studies=("A", "B"), numbers=("x.p", "x.q"), before=numbers, said=said,
        slope=np.array([0.5, 0.0]), wanted=np.array([1.5, -1.0]), sd=np.array([1.0, 0.5]),
    )  # fmt: skip


def test_the_update_is_that_of_two_normals():
    found = made()
    after, said = found.given([0])
    error = 1.0 + (challenge_fit.STUDY * 0.5) ** 2
    assert after[:, 0].mean() == pytest.approx(2.0 * 1.5 / (4.0 + error), abs=0.05)
    assert after[:, 0].var() == pytest.approx(error / (4.0 + error), abs=0.05)
    assert after[:, 1].mean() == pytest.approx(0.0, abs=0.06)
    assert said[:, 0] == pytest.approx(2.0 * after[:, 0])


def test_a_row_is_predicted_without_its_study():
    found = made()
    first, second = found.errors()
    assert second == pytest.approx(first, abs=0.1)  # the other study says nothing of it here
    assert replace(found, studies=("A", "A")).errors()[1] == pytest.approx(first)


@pytest.mark.slow
def test_the_rule_keeps_step_a():
    found = step_b()
    assert found.ids == ("webster2011_liking", "webster2011_high", "vandorp2006_half", "vandorp2006_most")
    first, second = found.errors()
    a, b = (float(np.sqrt(np.mean(x**2))) for x in (first, second))
    assert (a, b) == pytest.approx((3.02, 2.84), abs=0.02)
    assert b > 0.9 * a
    moved = found.medians()
    assert moved["ventilation_isohypercapnic.transduction.buprenorphine"] < 0.4 * 3.3
