"""The trial file, checked by one model that is also its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from schild.errors import InputError
from schild.inputfile import InputFile, Section, Sex, Time
from schild.regimen import parse_regimen
from schild.units import TICKS_PER_HOUR, ticks

if TYPE_CHECKING:
    from schild.catalog import Catalogue

_MAX_BYTES = 1_000_000
#: Largest trial: people of an arm times replicates.
MAX_PEOPLE = 10_000_000

#: Rules for missing data, in words.
MISSING = {
    "nonresponder": "people with a missing day fail in yes/no endpoints; percentages are of days seen",
    "heavy": "every missing day counts as a heavy drinking day",
    "observed": "days seen only, for those who were seen",
}
#: Rule of opioid trials, in words.
RULES_OF_ENDPOINTS = "each endpoint has its own rule for people who leave"
ESTIMANDS = {
    "treatment_policy": "all days while followed, whether treatment is taken or not",
    "while_on_treatment": "days until tablets or injections are given up",
}
#: Sections of the file and entries of an arm that belong to trials of one disorder only, and why.
_ONLY = {
    "alcohol": (("eligibility", "response", "learning"), (), "they are about drinking"),
    "opioid": (("setting",), ("usual_care", "observed", "induction", "contingency"), "they are about opioid use"),
}
_OTHER = {"alcohol": "opioid", "opioid": "alcohol"}
#: Days since the last opioid, days of a taper and of ascending tablets, and medicines for comfort, by procedure.
PROCEDURES = {
    "wait": (7.0, 0, 0, False), "taper": (7.0, 5, 0, False), "low_dose": (3.0, 0, 4, True), "rapid": (1.0, 0, 4, True),
}  # fmt: skip
ARM_WORDS = {"daily": "daily", "as_needed": "before anticipated drinking", "schedule": "on a schedule"}


Share = Annotated[float, Field(ge=0.0, le=1.0)]


class TrialHead(Section):
    """Section ``[trial]``: size, length, seed and analysis."""

    title: str = ""
    n: int = Field(default=300, ge=2, le=MAX_PEOPLE, description="People in each arm.")
    weeks: int = Field(default=12, ge=4, le=104)
    replicates: int = Field(default=1, ge=1, le=100_000, description="Number of repeats of the trial with new people.")
    seed: int = Field(default=1, ge=0, lt=2**63)
    people: Literal["own", "shared"] = Field(
        default="own",
        description="Different people in each arm, as in a real trial, with intervals, p-values and power; or the same "
        "people in every arm, which gives the effect on each person but no tests.",
    )
    estimand: Literal["treatment_policy", "while_on_treatment"] = "treatment_policy"
    missing: Literal["nonresponder", "heavy", "observed"] = "nonresponder"
    uncertainty: bool = Field(default=False, description="Each replicate draws its own parameter set.")
    between_trials: bool = Field(default=False, description="Each replicate has its own effect and response.")


class People(Section):
    """Section ``[population]``: the people who take part."""

    reference: str = "adult"
    sex: Sex | None = None
    liver: Literal["normal", "mild", "moderate", "severe"] | None = None

    @property
    def fixed(self) -> dict[str, float | str]:
        """Covariates that are the same for all."""
        return {name: value for name in ("sex", "liver") if (value := getattr(self, name)) is not None}


class Eligibility(Section):
    """Section ``[eligibility]``: drinking in the 28 days before treatment, and abstinence before its first day."""

    drinking_days: int = Field(default=0, ge=0, le=28, description="Fewest days with drinking in 28.")
    heavy_days: int = Field(default=4, ge=0, le=28, description="Fewest heavy drinking days in 28.")
    drinks_per_week: float = Field(default=0.0, ge=0.0, le=150.0, description="Fewest drinks a week.")
    abstinent: bool = Field(default=True, description="The day before treatment is without drinking.")


class Response(Section):
    """Section ``[response]``: effect of taking part without the drug, an input of the scenario; log odds."""

    drinking: float | None = Field(default=None, ge=-20, le=20)
    heavy: float | None = Field(default=None, ge=-20, le=20)
    between: float | None = Field(default=None, ge=0, le=20)


class Learning(Section):
    """Section ``[learning]``: the learned value of drinking falls where drinking is less rewarding (speculative)."""

    on: bool = False
    rate: Share | None = None
    weight: float | None = Field(default=None, ge=0, le=10)


class Setting(Section):
    """Section ``[setting]`` of an opioid trial: where people come from, and which opioids are used there."""

    place: Literal["inpatient", "outpatient"] = Field(
        default="inpatient", description="Place before treatment begins: on a ward most opioids are unavailable."
    )
    admitted: list[Annotated[float, Field(ge=0, le=60)]] = Field(
        default=[7.0],
        min_length=1,
        max_length=50,
        description="Days from the last opioid to randomisation; each person has one of the list, with equal chance.",
    )
    fentanyl: Share = Field(
        default=0.0, description="Share of use that is fentanyl, with the same liking; nothing was fitted to it."
    )


class Induction(Section):
    """Table ``induction`` of an arm with naltrexone or its placebo: how the first dose is reached."""

    procedure: Literal["wait", "taper", "low_dose", "rapid"] = Field(
        default="wait", description="Gives defaults of the entries below."
    )
    wait: float | None = Field(default=None, ge=0, le=60, description="Days without opioids before the first dose.")
    taper: int | None = Field(default=None, ge=0, le=30, description="Days of buprenorphine in falling doses.")
    low_dose: int | None = Field(default=None, ge=0, le=14, description="Days of naltrexone tablets in rising doses.")
    comfort: bool | None = Field(default=None, description="Medicines against withdrawal that are not opioids.")
    until: int = Field(default=28, ge=1, le=180, description="Days after randomisation in which a first dose is tried.")

    def whole(self) -> tuple[float, int, int, bool]:
        """Give days of waiting, of taper and of tablets, and whether there is comfort."""
        given = (self.wait, self.taper, self.low_dose, self.comfort)
        usual = PROCEDURES[self.procedure]
        wait, taper, low, comfort = (u if g is None else g for g, u in zip(given, usual, strict=True))
        return float(wait), int(taper), int(low), bool(comfort)


class Arm(Section):
    """Section ``[[arm]]``: the treatment and how it is taken."""

    name: str = Field(min_length=1, max_length=60)
    placebo: bool = Field(default=False, description="Tablets without drug; the arm others are compared with.")
    drug: str | None = None
    amount: str | None = None
    route: str = "oral"
    product: str | None = None
    dosing: Literal["daily", "as_needed", "schedule"] = Field(
        default="daily", description="Every day, before anticipated drinking, or at intervals of `every`."
    )
    every: Time | None = Field(default=None, description="Interval of a schedule, in whole days, such as '28 d'.")
    adherence: Share | None = Field(
        default=None,
        description="Share of tablets taken; as needed, of the days with an indication; on a schedule, of people who "
        "come to the next injection. By default that of the catalogue.",
    )
    stop: Share | None = Field(
        default=None,
        description="Share who stop treatment in a week; by default that of the catalogue for tablets, else 0.",
    )
    counselling: float = Field(
        default=0.0,
        ge=-5,
        le=5,
        description="Below 0 helps. Alcohol: added to the log odds of drinking and of a heavy day. Opioids: to the log "
        "hazard of use.",
    )
    usual_care: bool = Field(default=False, description="Opioids: no medicine and no injection, counselling alone.")
    observed: bool = Field(default=False, description="Opioids: supervised intake, every dose is taken.")
    contingency: float = Field(
        default=0.0, ge=-5, le=5, description="Opioids: rewards for attendance, added to the log odds of each return."
    )
    induction: Induction | None = None

    @model_validator(mode="after")
    def _whole(self) -> Arm:
        if (self.placebo or self.usual_care) and (self.drug or self.amount):
            what = "placebo" if self.placebo else "usual care"
            raise ValueError(f"the arm {self.name!r} is {what} and gives a drug; drop one")
        if not self.placebo and not self.usual_care and not (self.drug and self.amount):
            raise ValueError(f"the arm {self.name!r} needs drug and amount, or placebo = true")
        if (self.dosing == "schedule") != (self.every is not None):
            raise ValueError(f'the arm {self.name!r}: `every` belongs to dosing = "schedule", and a schedule needs it')
        if self.dosing != "schedule" and "depot" in self.route:
            raise ValueError(
                f"the arm {self.name!r} gives {self.route} {ARM_WORDS[self.dosing]}; a depot needs "
                'dosing = "schedule" and every = "28 d"'
            )
        if self.every is not None and (self.interval_days < 1 or ticks(self.every) % (24 * TICKS_PER_HOUR)):
            raise ValueError(f"the arm {self.name!r}: every = {self.every!r} is not a whole number of days")
        return self

    @property
    def interval_days(self) -> int:
        """Days between doses."""
        return 1 if self.every is None else int(ticks(self.every) // (24 * TICKS_PER_HOUR))

    @property
    def words(self) -> str:
        """The treatment, in words."""
        if self.placebo:
            return "placebo"
        if self.usual_care:
            return "usual care"
        how = f"every {self.every}" if self.every else ARM_WORDS[self.dosing]
        return f"{self.drug} {self.amount} {self.route}, {how}"


class Trial(InputFile):
    """A virtual trial: arms, people, size, seed, estimand.

    Examples
    --------
    >>> trial = Trial.of({"name": "naltrexone", "drug": "naltrexone", "amount": "50 mg"}, n=100)
    >>> [arm.name for arm in trial.arm], trial.reference.name, trial.days
    (['naltrexone', 'placebo'], 'placebo', 84)
    """

    disorder: Literal["opioid", "alcohol"] = Field(description="Disorder treated; it decides all other entries.")
    trial: TrialHead = TrialHead()
    population: People = People()
    setting: Setting = Setting()
    eligibility: Eligibility = Eligibility()
    response: Response = Response()
    learning: Learning = Learning()
    arm: list[Arm] = Field(min_length=1, max_length=8)

    def by_key(self, catalogue: Catalogue) -> Trial:
        """Replace the name of each arm's drug by its key; raises UnknownNameError for an unknown name."""
        arms = [a if a.drug is None else a.model_copy(update={"drug": catalogue.drug(a.drug).key}) for a in self.arm]
        return self.model_copy(update={"arm": arms})

    @model_validator(mode="before")
    @classmethod
    def _fits(cls, data: Any) -> Any:
        """Refuse a file that does not name its disorder, or that has entries of the other disorder."""
        if not isinstance(data, dict):
            return data
        said = data.get("disorder")
        if said not in _ONLY:
            given = "is missing" if "disorder" not in data else f"is {said!r}"
            raise ValueError(
                f'disorder {given}; expected disorder = "opioid" or "alcohol" on the first line: people, behaviour and '
                "endpoints differ between the two"
            )
        other = _OTHER[said]
        sections, entries, why = _ONLY[other]
        odd = [f"[{name}]" for name in sections if name in data]
        for arm in data.get("arm") or []:
            entry = arm.model_dump(exclude_defaults=True) if isinstance(arm, Arm) else arm
            if isinstance(entry, dict):
                odd += [name for name in entries if entry.get(name)]
        if odd:
            names = ", ".join(dict.fromkeys(odd))
            raise ValueError(f'{names} belongs to disorder = "{other}" only: {why}. This file says "{said}"')
        return data

    @model_validator(mode="after")
    def _arms(self) -> Trial:
        names = [arm.name for arm in self.arm]
        if self.disorder == "opioid":
            if self.trial.missing != "nonresponder":
                raise ValueError("`missing` belongs to drinking days; each endpoint of urine has its own rule")
            if self.trial.between_trials:
                raise ValueError("between_trials belongs to alcohol: no row gives the variation between opioid trials")
            for arm in self.arm:
                if arm.dosing == "as_needed":
                    raise ValueError(f"the arm {arm.name!r} is taken as needed, which alcohol trials alone have")
                if arm.induction and not (arm.placebo or arm.drug == "naltrexone"):
                    raise ValueError(f"the arm {arm.name!r} has an induction, which is for naltrexone or its placebo")
        if len(set(names)) != len(names):
            raise ValueError(f"the arms are called {', '.join(names)}; expected different names")
        if self.trial.n * self.trial.replicates > MAX_PEOPLE:
            raise ValueError(f"{self.trial.n} people x {self.trial.replicates} replicates are more than {MAX_PEOPLE:,}")
        return self

    @classmethod
    def of(cls, *arms: dict[str, Any] | Arm, disorder: str = "alcohol", **head: Any) -> Trial:
        """Make a trial from arms and the entries of its head; one arm is compared with placebo."""
        given = [arm if isinstance(arm, Arm) else dict(arm) for arm in arms]
        if len(given) == 1:
            given.append({"name": "placebo", "placebo": True})
        sections = {name: head.pop(name) for name in tuple(head) if name in cls.model_fields and name != "arm"}
        return cls.parse({"disorder": disorder, "trial": head, "arm": given, **sections})

    @classmethod
    def given(cls, trial: Trial | Mapping[str, Any] | str | Path) -> Trial:
        """Take a trial, its content, or the path of its file; raises InputError for anything else."""
        if isinstance(trial, str | Path):
            return cls.read(trial)
        if not isinstance(trial, Trial | Mapping):
            raise InputError(f"The trial is {trial!r}; expected a Trial, its content, or the path of its file.")
        return trial if isinstance(trial, Trial) else cls.parse(dict(trial))

    @classmethod
    def read(cls, path: str | Path) -> Trial:
        """Read a trial file.

        Raises
        ------
        InputError
            If it cannot be read or is not a trial.
        """
        return cls._read(path, "arm", most=_MAX_BYTES)

    @property
    def days(self) -> int:
        """Days of treatment."""
        return 7 * self.trial.weeks

    @property
    def reference(self) -> Arm:
        """The arm that others are compared with: the first placebo, else the first arm."""
        return next((arm for arm in self.arm if arm.placebo), self.arm[0])

    @property
    def size(self) -> int:
        """People in each arm over all replicates."""
        return self.trial.n * self.trial.replicates

    def canonical(self) -> str:
        """Unique text of a trial, for hashes and manifests."""
        return json.dumps(self.said(), sort_keys=True)

    def said(self) -> dict[str, Any]:
        """Return the whole trial as data for ``parse``, without entries of the other disorder."""
        sections, entries, _ = _ONLY[_OTHER[self.disorder]]
        whole = self.model_dump(exclude=set(sections))
        for arm in whole["arm"]:
            for entry in entries:
                arm.pop(entry)
        return whole


def arm_of(regimen: str) -> dict[str, object]:
    """Write one regimen as the active arm of a trial; its number of doses is ignored.

    >>> arm_of("naltrexone 380 mg im_depot q28d x3")["every"]
    '28 d'
    """
    (dose,) = parse_regimen(regimen)
    assert dose.amount is not None
    arm: dict[str, object] = {
        "name": "active", "drug": dose.drug, "amount": f"{dose.amount.value:g} {dose.amount.unit}", "route": dose.route,
    }  # fmt: skip
    if not dose.every_tick:
        arm["dosing"] = "as_needed"
    elif dose.every_tick > 24 * TICKS_PER_HOUR:
        arm |= {"dosing": "schedule", "every": f"{dose.every_tick / TICKS_PER_HOUR / 24:g} d"}
    return arm
