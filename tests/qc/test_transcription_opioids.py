"""Second transcription of the opioids: chosen kinetics and affinities typed again from the evidence tables.

Typed from the rows, not copied from the TOML. The columns are drug, number, row, what the row prints, and the value in
the unit of the catalogue, with the arithmetic written out.
"""

import re
from math import log

import pytest

from evidence import cited
from schild.catalog import load

PER_S, PER_MIN = 3600, 60

KINETICS = [
    ("m3g", "cl", "pk23", 5.0, 5.0),
    ("m3g", "vc", "pk24", 25, 25),
    ("m3g", "fu", "pk198", 0.9, 0.9),
    ("morphine", "fm.m3g", "pk23", 0.55, 0.55),
    ("morphine", "oral.first_pass.m3g", "pk16", 0.355, 0.355),
    ("heroin", "oral.relative", "pk95", 0.79, 0.79),
    ("fentanyl", "buccal.f", "pk104", 0.52, 0.52),
    ("codeine", "cl", "pk42", 65, 65),
    ("codeine", "vc", "pk42", 210, 210),
    ("codeine", "oral.f", "pk42", 0.53, 0.53),
    ("codeine", "oral.ka", "pk42", 1.8, 1.8),
    ("codeine", "oral.lag", "pk42", 0.2, 0.2),
    ("codeine", "fu", "pk43", 0.72, 0.72),
    ("codeine", "fm.morphine", "pk48", 0.04, 0.04),
    ("codeine", "fm.morphine.pm", "pk48", 0.002, 0.002 / 0.04),
    ("codeine", "fm.morphine.im", "pk48", 0.02, 0.02 / 0.04),
    ("codeine", "fm.morphine.um", "pk48", 0.06, 0.06 / 0.04),
    ("codeine", "fm.c6g", "pk49", 0.6, 0.6),
    ("c6g", "cl", "pk44", 15, 0.6 / 0.53 * 65 / 15),
    ("hydrocodone", "cl", "pk52", 64, 0.605 * 64),
    ("hydrocodone", "vc", "pk52", 350, 0.605 * 350),
    ("hydrocodone", "oral.ka", "pk52", 1.9, 1.9),
    ("hydrocodone", "oral.lag", "pk52", 0.2, 0.2),
    ("hydrocodone", "oral_er.ka", "pk53", 0.22, 0.22),
    ("hydrocodone", "oral_er.lag", "pk53", 0.3, 0.3),
    ("hydrocodone", "fm.hydromorphone", "pk55", 0.03, 0.03),
    ("hydrocodone", "fm.hydromorphone.pm", "pk55", 0.004, 0.004 / 0.03),
    ("hydrocodone", "fu", "pk56", 36, 1 - 36 / 100),
    ("oxycodone", "oral.f", "pk70", 0.60, 0.60),
    ("oxycodone", "cl", "pk74", 0.60, 60),
    ("oxycodone", "vc", "pk75", 110, 110),
    ("oxycodone", "q", "pk75", 90, 90),
    ("oxycodone", "vp", "pk75", 170, 170),
    ("oxycodone", "oral.ka", "pk76", 1.1, 1.1),
    ("oxycodone", "oral.lag", "pk76", 0.25, 0.25),
    ("oxycodone", "oral_er.fast", "pk77", 38, 0.38),
    ("oxycodone", "oral_er.fast.ka", "pk77", 1.1, 1.1),
    ("oxycodone", "oral_er.slow", "pk77", 62, 0.62),
    ("oxycodone", "oral_er.slow.ka", "pk77", 0.112, 0.112),
    ("oxycodone", "fm.oxymorphone", "pk78", 0.015, 0.015 * (120 / 301.342) / (60 / 315.369)),
    ("oxycodone", "fu", "pk79", 0.55, 0.55),
    ("oxymorphone", "cl", "pk83", 120, 120),
    ("oxymorphone", "vc", "pk84", 60, 60),
    ("oxymorphone", "q", "pk84", 150, 150),
    ("oxymorphone", "vp", "pk84", 160, 160),
    ("oxymorphone", "oral.f", "pk85", 0.115, 0.115),
    ("oxymorphone", "oral.ka", "pk85", 1.5, 1.5),
    ("oxymorphone", "oral.lag", "pk85", 0.15, 0.15),
    ("oxymorphone", "oral_er.ka", "pk86", 0.12, 0.12),
    ("oxymorphone", "oral_er.lag", "pk86", 0.3, 0.3),
    ("oxymorphone", "fu", "pk87", 0.89, 0.89),
    ("carfentanil", "cl", "pk112", 42.3, 42.3),
    ("carfentanil", "vc", "pk112", 36, 36),
    ("carfentanil", "q", "pk112", 210.6, 210.6),
    ("carfentanil", "vp", "pk112", 272, 272),
    ("carfentanil", "fu", "pk115", 0.15, 0.15),
    ("carfentanil", "in.f", "pk116", 0.6, 0.6),
    ("carfentanil", "in.ka", "pk116", 5, 5),
    ("methadone", "oral.f", "pk117", 0.85, 0.85),
    ("methadone", "cl", "pk118", 7.4, 7.4),
    ("methadone", "vc", "pk118", 110, 110),
    ("methadone", "q", "pk118", 60, 60),
    ("methadone", "vp", "pk118", 230, 230),
    ("methadone", "oral.ka", "pk119", 0.7, 0.7),
    ("methadone", "oral.lag", "pk119", 0.2, 0.2),
    ("methadone", "fu", "pk122", 0.12, 0.12),
    ("buprenorphine", "cl", "pk123", 52.1, 52.1),
    ("buprenorphine", "vc", "pk123", 64.3, 64.3),
    ("buprenorphine", "q", "pk123", 186, 186),
    ("buprenorphine", "vp", "pk123", 130, 130),
    ("buprenorphine", "q2", "pk123", 60.3, 60.3),
    ("buprenorphine", "vp2", "pk123", 1580, 1580),
    ("buprenorphine", "cl.by_age", "pk123", 0.233, -0.233),
    ("buprenorphine", "reference.age", "pk123", 35, 35),
    ("buprenorphine", "cl.by_weight", "pk123", 0.413, 0.413),
    ("buprenorphine", "reference.weight", "pk123", 72.4, 72.4),
    ("buprenorphine", "vc.dependent", "pk123", 237, 237 / 64.3),
    ("buprenorphine", "sl.f", "pk124", 0.14, 0.14),
    ("fentanyl", "transdermal.cl", "pk106", 49.6, 49.6),
    ("fentanyl", "transdermal.ka", "pk106", 0.0135, 0.0135),
    ("fentanyl", "transdermal.lag", "pk106", 4.73, 4.73),
    ("naloxone", "spray_4mg.strength", "pk166", 4, 4),
    ("naloxone", "spray_8mg.strength", "pk167", 8, 8),
    ("buprenorphine", "reference.sl_dose", "pk124", 16, 16),
    ("buprenorphine", "sl.f.by_dose", "pk124", 0.371, -0.371),
    ("buprenorphine", "sl.fast", "pk125", 75.9, 0.759),
    ("buprenorphine", "sl.fast.lag", "pk125", 0.171, 0.171 + 0.5 * 0.419),
    ("buprenorphine", "sl.fast.ka", "pk125", 1.72, 1.72),
    ("buprenorphine", "sl.slow", "pk125", 24.1, 0.241),
    ("buprenorphine", "sl.slow.ka", "pk125", 0.0875, 0.0875),
    ("buprenorphine", "sc_depot_weekly.fast", "pk126", 45.5, 0.455),
    ("buprenorphine", "sc_depot_weekly.fast.lag", "pk126", 10.1, 10.1 / 2),
    ("buprenorphine", "sc_depot_weekly.fast.ka", "pk126", 0.0401, 0.0401),
    ("buprenorphine", "sc_depot_weekly.slow", "pk126", 45.5, 0.545),
    ("buprenorphine", "sc_depot_weekly.slow.ka", "pk126", 0.00565, 0.00565),
    ("buprenorphine", "sc_depot.fast", "pk127", 8.63, 0.0863),
    ("buprenorphine", "sc_depot.fast.ka", "pk127", 0.0441, 0.0441),
    ("buprenorphine", "sc_depot.slow", "pk127", 8.63, 0.9137),
    ("buprenorphine", "sc_depot.slow.ka", "pk127", 0.00166, 0.00166),
    ("buprenorphine", "fm.norbuprenorphine", "pk133", 0.6, 0.6),
    ("buprenorphine", "fu", "pk134", 0.04, 0.04),
    ("norbuprenorphine", "cl", "pk133", 31, 31),
    ("norbuprenorphine", "vc", "pk133", 1300, 1300),
    ("pentazocine", "oral.f", "pk135", 0.18, 0.18),
    ("pentazocine", "cl", "pk136", 80, 80),
    ("pentazocine", "vc", "pk136", 70, 70),
    ("pentazocine", "q", "pk136", 120, 120),
    ("pentazocine", "vp", "pk136", 260, 260),
    ("pentazocine", "oral.ka", "pk137", 1.5, 1.5),
    ("pentazocine", "im.ka", "pk137", 4, 4),
    ("pentazocine", "fu", "pk138", 0.40, 0.40),
    ("nalmefene", "cl", "pk172", 60.4, 60.4),
    ("nalmefene", "vc", "pk172", 266, 266),
    ("nalmefene", "q", "pk172", 109, 109),
    ("nalmefene", "vp", "pk172", 537, 537),
    ("nalmefene", "oral.f", "pk173", 0.406, 0.406),
    ("nalmefene", "oral.ka", "pk173", 0.751, 0.751),
    ("nalmefene", "in.f", "pk175", 63.7, 60.4 / 63.7),
    ("nalmefene", "in.lag", "pk175", 0.0615, 0.0615),
    ("nalmefene", "fu", "pk178", 0.65, 0.65),
    ("nalmefene", "im.f", "pk197", 1, 1),
    ("nalmefene", "im.ka", "pk197", 1.5, 1.5),
    ("samidorphan", "cl", "pk181", 35.4, 35.4),
    ("samidorphan", "vc", "pk181", 297, 297),
    ("samidorphan", "q", "pk181", 12.1, 12.1),
    ("samidorphan", "vp", "pk181", 124, 124),
    ("samidorphan", "oral.ka", "pk181", 6.61, 6.61),
    ("samidorphan", "oral.lag", "pk181", 0.323, 0.323),
    ("samidorphan", "fu", "pk182", 0.7, 0.7),
    ("methylnaltrexone", "cl", "pk184", 44.1, 44.1),
    ("methylnaltrexone", "sc.f", "pk184", 0.82, 0.82),
    ("methylnaltrexone", "vc", "pk185", 40, 40),
    ("methylnaltrexone", "q", "pk185", 30, 30),
    ("methylnaltrexone", "vp", "pk185", 45, 45),
    ("methylnaltrexone", "sc.ka", "pk185", 4, 4),
    ("methylnaltrexone", "fu", "pk186", 0.86, 0.86),
    ("cocaine", "cl", "pk187", 140, 140),
    ("cocaine", "vc", "pk187", 160, 160),
]

SPREADS = [
    ("codeine", "cl", "pk42", 35),
    ("codeine", "fm.morphine", "pk48", 50),
    ("hydrocodone", "cl", "pk52", 30),
    ("hydrocodone", "fm.hydromorphone", "pk55", 50),
    ("oxycodone", "cl", "pk74", 30),
    ("oxycodone", "vc", "pk75", 30),
    ("oxycodone", "oral.ka", "pk76", 60),
    ("oxymorphone", "cl", "pk84", 35),
    ("carfentanil", "cl", "pk112", 15),
    ("methadone", "cl", "pk118", 45),
    ("methadone", "vc", "pk118", 30),
    ("methadone", "oral.ka", "pk119", 50),
    ("buprenorphine", "cl", "pk123", 20.9),
    ("buprenorphine", "vc", "pk123", 78.6),
    ("buprenorphine", "q2", "pk123", 38),
    ("buprenorphine", "vp2", "pk123", 29.8),
    ("buprenorphine", "sl.f", "pk124", 31.1),
    ("buprenorphine", "sl.slow.ka", "pk125", 86),
    ("pentazocine", "cl", "pk136", 40),
    ("nalmefene", "cl", "pk172", 18.7),
    ("nalmefene", "vc", "pk172", 66.6),
    ("nalmefene", "q", "pk172", 44.5),
    ("nalmefene", "vp", "pk172", 45.8),
    ("nalmefene", "oral.f", "pk173", 20.1),
    ("nalmefene", "oral.ka", "pk173", 69.9),
    ("samidorphan", "cl", "pk181", 29),
    ("samidorphan", "vc", "pk181", 23),
    ("samidorphan", "oral.ka", "pk181", 219),
    ("samidorphan", "vp", "pk181", 99),
]

RECEPTORS = [
    ("codeine", "mor.ki", "binding17", 734.2, 734.2),
    ("codeine", "kor.ki", "binding60", 10000, 10000),
    ("codeine", "dor.ki", "binding60", 10000, 10000),
    ("c6g", "mor.ki", "binding23", 700, 700),
    ("hydrocodone", "mor.ki", "binding15", 41.58, 41.58),
    ("hydrocodone", "kor.ki", "binding56", 501, 501),
    ("hydrocodone", "dor.ki", "binding56", 962, 962),
    ("oxycodone", "mor.ki", "binding14", 25.87, 25.87),
    ("oxycodone", "kor.ki", "binding58", 1000, 1000),
    ("oxycodone", "dor.ki", "binding58", 958, 958),
    ("oxymorphone", "mor.ki", "binding6", 0.4055, 0.4055),
    ("oxymorphone", "kor.ki", "binding59", 148, 148),
    ("oxymorphone", "dor.ki", "binding59", 118, 118),
    ("carfentanil", "mor.ki", "binding29", 0.0231, 0.0231),
    ("carfentanil", "mor.koff", "binding29", 2.47e-4, 2.47e-4 * PER_S),
    ("carfentanil", "kor.ki", "binding63", 43.1, 43.1),
    ("carfentanil", "dor.ki", "binding63", 3.3, 3.3),
    ("methadone", "mor.ki", "binding12", 3.378, 3.378),
    ("methadone", "kor.ki", "binding55", 405, 405),
    ("methadone", "dor.ki", "binding55", 435, 435),
    ("buprenorphine", "mor.ki", "binding4", 0.2157, 0.2157),
    ("buprenorphine", "mor.koff", "binding28", 1.37e-4, 1.37e-4 * PER_S),
    ("buprenorphine", "kor.ki", "binding52", 0.2, 0.2),
    ("buprenorphine", "dor.ki", "binding52", 2, 2),
    ("buprenorphine", "ke0", "pd7", 0.00404, 0.00404 * PER_MIN),
    ("norbuprenorphine", "mor.ki", "binding82", 0.19, 0.19),
    ("norbuprenorphine", "kor.ki", "binding53", 0.91, 0.91),
    ("norbuprenorphine", "dor.ki", "binding53", 3.14, 3.14),
    ("pentazocine", "mor.ki", "binding16", 117.8, 117.8),
    ("pentazocine", "kor.ki", "binding66", 2.2, 2.2 / 5.7 * 117.8),
    ("pentazocine", "dor.ki", "binding66", 49.3, 49.3 / 5.7 * 117.8),
    ("nalmefene", "mor.ki", "binding68", 0.24, 0.24),
    ("nalmefene", "kor.ki", "binding68", 0.083, 0.083),
    ("nalmefene", "dor.ki", "binding68", 16, 16),
    ("nalmefene", "mor.koff", "binding34", 1.35e-2, 1.35e-2 * PER_S),
    ("samidorphan", "mor.ki", "binding69", 0.052, 0.052),
    ("samidorphan", "kor.ki", "binding69", 0.23, 0.23),
    ("samidorphan", "dor.ki", "binding69", 2.7, 2.7),
    ("methylnaltrexone", "mor_gut.ki", "binding70", 28, 28),
    ("methylnaltrexone", "mor_gut.koff", "binding46", 0.5, log(2) / 0.5 * PER_MIN),
    ("oxycodone", "ke0", "pd19", 14, log(2) / 14 * PER_MIN),
    ("hydrocodone", "ke0", "pd44", 0.3, log(2) / 0.3),
    ("oxymorphone", "ke0", "pd44", 0.3, log(2) / 0.3),
    ("methadone", "ke0", "pd23", 0.15, log(2) / 0.15),
    ("nalmefene", "ke0", "pd43", 10, log(2) / 10 * PER_MIN),
    ("codeine", "mor.efficacy", "efficacy32", 0.40, 0.40),
    ("c6g", "mor.efficacy", "efficacy32", 0.40, 0.40),
    ("hydrocodone", "mor.efficacy", "efficacy30", 0.60, 0.60),
    ("oxycodone", "mor.efficacy", "efficacy29", 0.60, 0.60),
    ("oxymorphone", "mor.efficacy", "efficacy26", 0.85, 0.85),
    ("carfentanil", "mor.efficacy", "efficacy20", 1.0, 1.0),
    ("methadone", "mor.efficacy", "efficacy21", 0.95, 0.95),
    ("buprenorphine", "mor.efficacy", "efficacy35", 0.28, 0.28),
    ("norbuprenorphine", "mor.efficacy", "efficacy33", 0.50, 0.50),
    ("pentazocine", "mor.efficacy", "efficacy37", 0.25, 0.25),
    ("pentazocine", "kor.efficacy", "efficacy43", 0.7, 0.7),
    ("samidorphan", "mor.efficacy", "efficacy39", 0.03, 0.03),
    ("samidorphan", "kor.efficacy", "efficacy44", 0.35, 0.35),
    ("samidorphan", "dor.efficacy", "efficacy47", 0.35, 0.35),
    ("nalmefene", "kor.efficacy", "efficacy44", 0.4, 0.4),
    ("buprenorphine", "kor.efficacy", "efficacy44", 0.1, 0.1),
]

# Constants in man, free concentration at half of the receptors [nM], worked out again from what was measured.
# A level in blood [ng/mL], molar mass, unbound share; or equal strength with 10 mg of injected (30 mg of swallowed)
# morphine sulfate, whose own constant is 17 x 1.168 nM.
IN_MAN = {
    "buprenorphine": (1.1 * 1.4) ** 0.5 / 467.65 * 1000 * 0.04,
    "nalmefene": 0.338 / 339.435 * 1000 * 0.65,
    "oxycodone": (31.1 * 52.8) ** 0.5 / 315.369 * 1000 * 0.55,
    "oxymorphone": (0.892 / 301.342 / 120 * 0.89) / (7.52 / 285.343 / 82.4 * 0.67) * 17 * 1.168,
    "methadone": (8.5714 * 0.895 * 0.85 / 309.453 / 7.4 * 0.12)
    / (30 * 0.752 * 0.33 / 285.343 / 82.4 * 0.67)
    * 17
    * 1.168,
    "pentazocine": (60 / 285.431 / 80 * 0.4) / (7.52 / 285.343 / 82.4 * 0.67) * 17 * 1.168,
    "carfentanil": 0.42 / 336.479 * 1000 * 0.16 * 0.0231 / 0.351,
}

TYPED = KINETICS + RECEPTORS


def names(table):
    return ["/".join(row[:2]) for row in table]


def reference(row):
    file, line = re.fullmatch(r"([a-z]+)(\d+)", row).groups()
    return f"opioids/{file}.csv#L{line}"


@pytest.mark.parametrize(("drug", "name", "row", "printed", "value"), TYPED, ids=names(TYPED))
def test_chosen_values(drug, name, row, printed, value):
    found = load().drug(drug).number(name)
    # A fit, or a rule of a design page, has replaced the value, which stays beside it.
    replaced = found.chosen.basis == "fitted" or found.chosen.locator.startswith("docs/design/")
    for entry in found.values if replaced else (found.chosen,):
        loose = 0.003 if entry.basis == "derived" else 1e-5
        if entry.value == pytest.approx(value, rel=loose) and reference(row) in entry.row:
            return
    pytest.fail(f"{found.values}")


@pytest.mark.parametrize(("drug", "name", "row", "percent"), SPREADS, ids=names(SPREADS))
def test_spreads_between_people(drug, name, row, percent):
    found = load().drug(drug).number(name).between_subject
    assert found.cv == pytest.approx(percent / 100)
    assert reference(row) in found.row


@pytest.mark.parametrize(("drug", "kd"), IN_MAN.items(), ids=list(IN_MAN))
def test_constants_in_man(drug, kd):
    ki, factor = (load().drug(drug).number(name) for name in ("mor.ki", "mor.factor"))
    kept = factor.values if factor.chosen.basis == "fitted" else (factor.chosen,)
    assert any(ki.value * entry.value == pytest.approx(kd, rel=0.003) for entry in kept)


@pytest.mark.parametrize(("drug", "name", "row", "printed", "value"), TYPED, ids=names(TYPED))
def test_the_row_prints_what_was_typed(drug, name, row, printed, value):
    found = cited(reference(row))
    text = " ".join(found.get(key, "") for key in ("value", "spread", "note", "parameter", "statistic"))
    seen = {abs(float(number)) for number in re.findall(r"\d+\.?\d*(?:[eE]-?\d+)?", text)}
    assert any(number == pytest.approx(printed) for number in seen), text


@pytest.mark.parametrize(("drug", "name", "row", "percent"), SPREADS, ids=names(SPREADS))
def test_the_row_prints_the_spread(drug, name, row, percent):
    found = cited(reference(row))
    text = " ".join(found.get(key, "") for key in ("value", "spread", "note", "parameter", "statistic"))
    assert percent in {float(number) for number in re.findall(r"\d+\.?\d*", text)}, text


def test_the_rows_belong_to_the_drug():
    other = {
        "m3g": ("M3G", "morphine"),
        "c6g": ("C6G", "codeine"),
        "norbuprenorphine": ("norbuprenorphine",),
        "nalmefene": ("nalmefene", "all"),
    }
    for drug, name, row, *_ in TYPED:
        found = cited(reference(row))
        said = " ".join(found.get(key, "") for key in ("drug", "analyte", "ligand"))
        assert any(word in said for word in other.get(drug, (drug,))), (drug, name, row, said)


def test_one_dose_of_methadone_by_mouth_is_compared_with_one_dose():
    """The table's 10 mg for 30 mg of morphine is the 3- to 4-fold potency of repeated doses; of one dose it is 1."""
    row = next(o for o in load().studies["equianalgesic"].observations if o.id == "equal_methadone_po")
    assert "relative oral potency to morphine 1 single dose, 3-4 repeated" in cited(row.row[0])["note"]
    assert (row.value, row.normalisation) == (30 / 1, "morphine 30 mg po")


@pytest.mark.parametrize(("drug", "potency"), [("codeine", 0.1), ("pentazocine", 0.06)])
def test_the_second_table_of_potencies_by_mouth(drug, potency):
    row = next(o for o in load().studies["equianalgesic"].observations if o.id == f"equal_{drug}_po_potency")
    found = cited(row.row[0])
    printed = dict(zip(found["drug"].split("; "), found["value"].split("; "), strict=True))
    assert (float(printed[drug]), found["role"]) == (potency, "check_target")
    assert row.value == pytest.approx(30 / potency)
    assert (row.role, row.normalisation) == ("check", "morphine 30 mg po")
