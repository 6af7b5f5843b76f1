"""A label's interval is said where a drug is begun within it, whatever the model computes."""

import pytest

import schild


def warnings(*regimens, **options):
    return schild.simulate(*regimens, until="20 d", every="1 d", warn=False, **options).warnings


@pytest.mark.parametrize(
    ("regimens", "said"),
    [
        (["heroin 25 mg iv q6h x20 from -9 d", "naltrexone 50 mg po at 0 d"], "7 to 10 days"),
        (["heroin 10 mg iv", "naltrexone 50 mg po at 3 d"], "7 to 10 days"),
        (["morphine 10 mg iv", "naltrexone 380 mg im_depot at 9 d"], "7 to 10 days"),
        (["methadone 30 mg po", "naltrexone 50 mg po at 12 d"], "as long as two weeks"),
        (["buprenorphine 8 mg sl", "naltrexone 50 mg po at 13 d"], "as long as two weeks"),
        (["heroin 10 mg iv", "buprenorphine 8 mg sl at 12 h"], "clear signs of withdrawal"),
        (["methadone 30 mg po", "buprenorphine 8 mg sl at 4 d"], "24 hours after methadone"),
    ],
)
def test_the_label_is_said_within_its_interval(regimens, said):
    assert sum(said in warning for warning in warnings(*regimens)) == 1


@pytest.mark.parametrize(
    "regimens",
    [
        ["heroin 10 mg iv", "naltrexone 50 mg po at 10 d"],
        ["methadone 30 mg po", "naltrexone 50 mg po at 15 d"],
        ["naltrexone 50 mg po", "heroin 10 mg iv at 1 d"],
        ["naltrexone 50 mg po q24h x3", "heroin 10 mg iv at 12 h"],
        ["morphine 10 mg iv", "naloxone 0.4 mg iv at 1 h"],
    ],
)
def test_and_not_outside_it(regimens):
    assert not any("label" in warning for warning in warnings(*regimens))


def test_a_history_counts():
    said = warnings("naltrexone 50 mg po", history="methadone 60 mg po q24h for 90 d stopped 10 d")
    assert any("as long as two weeks" in warning for warning in said)


def test_a_partial_agonist_given_early_is_never_silent():
    said = warnings("buprenorphine 8 mg sl", history="heroin 25 mg iv q6h for 60 d stopped 6 h")
    assert any("at least 4 hours after heroin" in warning for warning in said)
