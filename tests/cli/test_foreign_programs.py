"""What is exported, others solve to the same course: SciPy the texts as they stand, libroadrunner and COPASI PEtab."""

from __future__ import annotations

import csv
import locale
import re
import warnings
from io import StringIO

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from schild.simulation import Run, model_of, simulate

REGIMENS = {
    "tablets": ("naltrexone 50 mg po q24h x2",),
    "depot": ("naltrexone 380 mg im_depot",),
    "infusion": ("morphine 2 mg/h iv for 6 h", "naloxone 0.4 mg iv at 5 h"),
    "reset": ("morphine 2 mg/h iv for 6 h", "reset at 3 h", "morphine 0.1 mg/kg iv over 30 min at 4 h"),
    "ethanol": ("ethanol 28 g po product with_food", "naltrexone 50 mg po"),
}
END_H = 48.0
LATE = "naltrexone 50 mg po at 2 h"
PROGRAMS = {"rxode2": "model.R", "mrgsolve": "model.cpp", "nonmem-model": "model.ctl"}


def quick(*names):
    """Every regimen; all but the named ones run with the slow tests."""
    return [pytest.param(name, marks=[] if name in names else pytest.mark.slow) for name in REGIMENS]


def read_rxode2(text):
    """Parameters, rates by state and outputs, as the R script has them."""
    text = re.sub(r"#.*", "", text)
    numbers = {k: float(v) for k, v in re.findall(r"(\w+) <- fix\(([^)]*)\)", text)}
    rates = dict(re.findall(r"d/dt\((\w+)\) <- (.*)", text))
    outputs = dict(re.findall(r"^    (plasma_\w+) <- (.*)", text, re.MULTILINE))
    return numbers, rates, outputs


def read_mrgsolve(text):
    blocks = dict(re.findall(r"^\$(\w+)[^\n]*\n(.*?)(?=^\$|\Z)", text, re.MULTILINE | re.DOTALL))
    numbers = {k: float(v) for k, v in re.findall(r"^(\w+) : (\S+) :", blocks["PARAM"], re.MULTILINE)}
    states = re.findall(r"^(\w+) :", blocks["CMT"], re.MULTILINE)
    rates = dict(re.findall(r"^dxdt_(\w+) = (.*);", blocks["ODE"], re.MULTILINE))
    outputs = dict(re.findall(r"^double (\w+) = (.*);", blocks["TABLE"], re.MULTILINE))
    assert list(outputs) == blocks["CAPTURE"].split()
    return numbers, {state: rates[state] for state in states}, outputs


def read_nonmem(text):
    named = re.findall(r"^  (\w+) = .*; (plasma_\w+) \[nM\]", text, re.MULTILINE)
    assert max(len(line) for line in text.split("\n")) <= 160
    text = re.sub(r" ;.*", "", text).replace(" &\n", "")
    blocks = dict(re.findall(r"^\$(\w+)(.*?)(?=^\$|\Z)", text, re.MULTILINE | re.DOTALL))
    theta = [float(x) for x in re.findall(r"(\S+) FIX", blocks["THETA"])]
    numbers = {k: theta[int(i) - 1] for k, i in re.findall(r"(\w+) = THETA\((\d+)\)", blocks["PK"])}
    assert all(len(name) <= 20 for name in numbers)
    state = re.compile(r"\bA\((\d+)\)")
    rates = {f"A_{k}": state.sub(r"A_\1", f) for k, f in re.findall(r"DADT\((\d+)\) = (.*)", blocks["DES"])}
    assert len(rates) == len(re.findall(r"COMP=", blocks["MODEL"]))
    outputs = dict(re.findall(r"^  (\w+) = (.*)", blocks["ERROR"], re.MULTILINE))
    return numbers, rates, {name: state.sub(r"A_\1", outputs[short]) for short, name in named}


def floor(levels):
    """Levels count to 1e-9 of the highest: ethanol after 20 h is a ten millionth of its peak, and solvers differ."""
    return 1e-9 * max(levels)


READ = {"rxode2": read_rxode2, "mrgsolve": read_mrgsolve, "nonmem-model": read_nonmem}


def solved(model, rows):
    """Outputs at the rows with EVID 0, from the equations and the data set alone."""
    numbers, rates, outputs = model
    made = [compile(rate.strip(), "rate", "eval") for rate in rates.values()]
    shown = {name: compile(formula.strip(), "output", "eval") for name, formula in outputs.items()}
    x, t = np.zeros(len(rates)), 0.0
    running: list[tuple[float, int, float]] = []  # end, compartment, rate
    found = {name: [] for name in outputs}

    def advance(until):
        nonlocal x, t
        while t < until:
            end = min([until, *(e for e, _, _ in running)])
            inflow = np.zeros(len(x))
            for _, k, rate in running:
                inflow[k] += rate

            def slope(_, y, inflow=inflow):
                here = numbers | dict(zip(rates, y, strict=True))
                return np.array([eval(code, {}, here) for code in made]) + inflow

            if end > t:
                x = solve_ivp(slope, (t, end), x, method="LSODA", rtol=1e-9, atol=1e-9).y[:, -1]
            t = end
            running[:] = [r for r in running if r[0] > t + 1e-12]

    for row in rows:
        at, event, place = float(row["TIME"]), row["EVID"], int(row["CMT"]) - 1
        advance(at)
        if event == "3":
            x, running[:] = np.zeros(len(x)), []
        elif event == "1" and float(row["RATE"]):
            running.append((at + float(row["AMT"]) / float(row["RATE"]), place, float(row["RATE"])))
        elif event == "1":
            x = x + np.eye(len(x))[place] * float(row["AMT"])
        else:
            here = numbers | dict(zip(rates, x, strict=True))
            for name, code in shown.items():
                found[name].append(eval(code, {}, here))
    return {name: np.array(values) for name, values in found.items()}


def ours(words, times_h):
    """Plasma levels of schild. [nM]"""
    built = model_of(Run.of(*words))
    result = simulate(*words, until=f"{END_H} h", receptors=["mor"])
    return {
        f"plasma_{name}": np.array([float(np.ravel(result[f"plasma_{name}"].at(t))[0]) for t in times_h])
        / (built.molar_mass(name) / 1000)
        for name in result.species()
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("rxode2", "naltrexone 50 mg po q24h ss"), "steady state"),
        (("mrgsolve", "naltrexone 50 mg po", "--times", ","), "--times is ','"),
        (("petab", "naltrexone 50 mg po", "--times", "1 h", "--free", "naltrexone.clx"), "clx"),
        (("petab", "naltrexone 50 mg po", "--times", "1 h", "--free", "naltrexone.clx", "--sex", "female"), "clx"),
        (
            ("petab", "naltrexone 50 mg po at 2 h", "--until", "3 h", "--times", "1 h", "--free", "naltrexone.cl"),
            "No level lies above",
        ),
        (("petab", "naltrexone 50 mg po", "--times=-1 h", "--free", "naltrexone.cl"), "at 0 or later"),
    ],
)
def test_what_cannot_be_exported_gets_one_message(call, tmp_path, words, told):
    said = call("export", *words, "--out", tmp_path / "out")
    assert said.code == 2
    assert told in said.err
    assert said.err.startswith("schild: ")


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", quick("tablets", "reset"))
def test_the_text_solved_as_it_stands_gives_the_same_levels(call, tmp_path, program, name):
    told = call("export", program, *REGIMENS[name], "--until", "2d", "--times", "30 min, 2.5 h, 5.5 h, 20 h, 47 h",
                "--out", tmp_path)  # fmt: skip
    assert told.code == 0, told.err
    text = (tmp_path / PROGRAMS[program]).read_text(encoding="ascii")
    assert "Units: TIME h, amounts nmol" in text
    assert call("export", program, *REGIMENS[name], "--until", "2d").out == text
    rows = list(csv.DictReader(StringIO((tmp_path / "doses.csv").read_text(encoding="ascii"))))
    found = solved(READ[program](text), rows)
    times = [float(row["TIME"]) for row in rows if row["EVID"] == "0"]
    for output, expected in ours(REGIMENS[name], times).items():
        assert found[output] == pytest.approx(expected, rel=1e-5, abs=floor(expected)), output


@pytest.fixture
def problem(call, tmp_path, request):
    """Files of a PEtab problem, and its levels."""
    words = REGIMENS[request.param]
    told = call("export", "petab", *words, "--times", "30 min, 2.5 h, 5.5 h, 20 h, 47 h", "--until", "2d",
                "--free", f"{words[0].split()[0]}.cl", "--out", tmp_path)  # fmt: skip
    assert told.code == 0, told.err
    rows = csv.DictReader(StringIO((tmp_path / "measurements.tsv").read_text()), delimiter="\t")
    levels = [(row["observableId"], float(row["time"]), float(row["measurement"])) for row in rows]
    assert len(levels) >= 5
    return tmp_path, levels


def every_regimen(*names):
    return pytest.mark.parametrize("problem", quick(*names), indirect=True)


@every_regimen()
def test_petab_finds_nothing_wrong_with_the_problem(problem):
    v2 = pytest.importorskip("petab.v2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = v2.Problem.from_yaml(problem[0] / "problem.yaml")
        assert not found.validate().has_errors()
        assert found.n_estimated == 1
        assert found.n_measurements == len(problem[1])


@every_regimen("tablets")
def test_libroadrunner_gives_the_levels_of_the_problem(problem):
    roadrunner = pytest.importorskip("roadrunner")
    folder, levels = problem
    model = roadrunner.RoadRunner(str(folder / "model.xml"))
    model.integrator.setValue("relative_tolerance", 1e-10)
    model.integrator.setValue("absolute_tolerance", 1e-12)
    for name in dict.fromkeys(name for name, _, _ in levels):
        here = [(t, v) for observable, t, v in levels if observable == name]
        model.resetAll()
        model.timeCourseSelections = [name.replace("level_", "plasma_")]
        found = np.asarray(model.simulate(times=[0.0, *(t for t, _ in here)]))[1:, 0]
        assert found == pytest.approx([v for _, v in here], rel=1e-5, abs=floor(v for _, v in here)), name


@every_regimen()
def test_copasi_gives_the_levels_of_the_problem(problem):
    before = locale.setlocale(locale.LC_ALL)
    basico = pytest.importorskip("basico")
    locale.setlocale(locale.LC_ALL, before)  # COPASI sets that of the process to C
    folder, levels = problem
    times = sorted({0.0, *(t for _, t, _ in levels)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = basico.load_model(str(folder / "model.xml"))
        names = [name.replace("level_", "plasma_") for name in dict.fromkeys(name for name, _, _ in levels)]
        table = basico.run_time_course_with_output(
            [f"Values[{name}]" for name in names], values=times, start_time=0.0, duration=max(times),
            use_initial_values=True, r_tol=1e-10, a_tol=1e-12, max_steps=1_000_000, model=model,
        )  # fmt: skip
        basico.remove_datamodel(model)
    for name, t, v in levels:
        found = float(table[f"Values[{name.replace('level_', 'plasma_')}]"].to_numpy()[times.index(t)])
        highest = floor(x for observable, _, x in levels if observable == name)
        assert found == pytest.approx(v, rel=1e-5, abs=highest), (name, t)
