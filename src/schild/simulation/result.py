"""Result of a run: outputs by name, metrics, a table, a figure, sources and a manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schild.array_types import AnyFloats
from schild.errors import InputError, UnknownNameError, needed
from schild.figures import Picture
from schild.results import Shown, cited, plain, versions
from schild.simulation.output import LABELS, QUANTILES, Output
from schild.tables import people_words

if TYPE_CHECKING:
    import pandas as pd
    import xarray

    from schild.catalog import Catalogue
    from schild.people import Values
    from schild.regimen import Event
    from schild.simulation.runfile import Run


@dataclass(frozen=True, kw_only=True, repr=False)
class Result(Shown):
    """Outputs of a run with their metrics, sources and manifest.

    Examples
    --------
    >>> import schild
    >>> result = schild.simulate("naltrexone 50 mg po", until="24 h")
    >>> 0.8 < result["mor_occupancy_naltrexone"].at("24 h") < 0.95
    True
    """

    title: str
    outputs: Mapping[str, Output]
    warnings: tuple[str, ...]
    status: NDArray[np.int64]
    describe: Callable[[], Mapping[str, Any]]  #: Makes the manifest, which most of the runs of a command never show
    catalogue: Catalogue | None = None
    run: Run | None = None
    each: Mapping[str, AnyFloats] = field(default_factory=dict)  #: Metrics of every person, shape (n_subjects,)
    values: Values | None = None  #: People and their numbers
    doses: Mapping[str | None, Sequence[Event]] = field(default_factory=dict)  #: Doses that bring each species

    def __getitem__(self, name: str) -> Output:
        """Return an output by name."""
        try:
            return self.outputs[name]
        except KeyError:
            raise UnknownNameError("output", name, self.outputs) from None

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the outputs."""
        return iter(self.outputs)

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        """Peaks, their times, areas, times above a level and troughs; quantiles of them for many people."""
        return {name: metric(values) for name, values in self.each.items()}

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """Data needed to repeat the run: versions, seed, tolerance, given numbers, hashes of all it used."""
        return self.describe()

    @cached_property
    def sources(self) -> Mapping[str, tuple[str, ...]]:
        """Citation keys of the numbers used, with what each was used for."""
        return {} if self.values is None else self.values.uses.sources

    @property
    def n(self) -> int:
        """Number of subjects."""
        return len(self.status)

    def species(self) -> dict[str, str]:
        """Return the species whose plasma levels were followed, with their names."""
        return self._followed("cmax_", "_ng_ml", lambda key: self._known.drugs[key].name)

    def receptors(self) -> dict[str, str]:
        """Return the receptors that were followed, with their names."""
        return self._followed("", "_pet_occupancy_peak", lambda key: self._known.receptors[key].name)

    @property
    def _known(self) -> Catalogue:
        from schild.catalog import load

        return self.catalogue or load()

    def _followed(self, head: str, tail: str, words: Callable[[str], str]) -> dict[str, str]:
        keys = [k[len(head) : -len(tail)] for k in self.each if k.startswith(head) and k.endswith(tail)]
        return {key: words(key) for key in keys}

    @property
    def shown(self) -> Mapping[str, Output]:
        """Outputs for files, figures and tables; those of one person also at the times of peaks."""
        first = next(iter(self.outputs.values()), None)
        if self.n != 1 or first is None or first.solve is None or self.status.any():
            return self.outputs
        return first.solve.with_peaks(self.outputs)

    def about(self) -> str:
        """Describe the result in one line."""
        people = people_words(self.n)
        first = next(iter(self.outputs.values()), None)
        span = "" if first is None else f", {first.time_h[0]:g} to {first.time_h[-1]:g} h"
        names = ", ".join(self.outputs)
        return f"{self.title}; {people}{span}; {len(self.outputs)} outputs: {names}"

    def summary(self) -> dict[str, Any]:
        """Return the metrics: peaks, their times, areas, time above.

        For a population each is a mapping of quantiles.
        """
        return dict(self.metrics)

    def nca(self, **options: Any) -> pd.DataFrame:
        """Return non-compartmental metrics by CDISC names: one row for each output, dose and metric.

        Parameters
        ----------
        **options
            Options of ``schild.simulation.exposure.exposure``: ``lloq``, ``between``, ``parts`` and ``above``.

        Returns
        -------
        DataFrame
            Columns output, dose (its number), metric, unit and value; for a population n, the people who have the
            metric, and quantiles over them in place of value.

        Raises
        ------
        InputError
            For a result with a plain grid or times of its own.

        Examples
        --------
        >>> import schild
        >>> table = schild.simulate("naltrexone 50 mg po", until="3 d").nca().set_index(["output", "metric"])
        >>> round(float(table.loc[("naltrexone", "LAMZHL"), "value"]), 1)
        3.1
        """
        from schild.simulation.exposure import exposure, summary_of

        return summary_of(exposure(self, **options))

    def people(self, **options: Any) -> pd.DataFrame:
        """Return one row for each person: covariates, parameters that differ, metrics of the run and of the last dose.

        Parameters
        ----------
        **options
            As for ``nca``.

        Returns
        -------
        DataFrame
            Columns by name: covariates (``weight_kg``), numbers of the catalogue that differ between people
            (``naltrexone.cl``), metrics of the run (``cmax_naltrexone_ng_ml``), and of the last dose
            (``naltrexone.AUCTAU``).

        Examples
        --------
        >>> import schild
        >>> rows = schild.simulate("naltrexone 50 mg po", until="1 d", n=3).people()
        >>> len(rows), "weight_kg" in rows, "naltrexone.cl" in rows, "naltrexone.CMAX" in rows
        (3, True, True, True)
        """
        from schild.simulation.exposure import people_of_result

        return people_of_result(self, **options)

    def to_frame(self, *names: str) -> pd.DataFrame:
        """Return a tidy table.

        Parameters
        ----------
        *names : str
            Outputs; all by default.

        Returns
        -------
        DataFrame
            Columns time_h, output, unit and value; for a population the quantiles in place of value.
        """
        import pandas as pd

        parts = []
        shown = self.shown
        for name in names or tuple(shown):
            output = shown[self[name].name]
            columns: dict[str, Any] = {"time_h": output.time_h, "output": name, "unit": output.unit}
            if self.n == 1:
                columns["value"] = output.values[0]
            else:
                columns |= {label: output.quantile(q) for label, q in zip(LABELS, QUANTILES, strict=True)}
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    def to_xarray(self, *names: str) -> xarray.Dataset:
        """Return outputs as labelled arrays.

        Parameters
        ----------
        *names : str
            Outputs; all by default.

        Returns
        -------
        xarray.Dataset
            A variable for each output with its unit as the attribute ``units``, over ``person`` (from 1) and ``time_h``
            [h]; covariates are coordinates of the persons.

        Raises
        ------
        InputError
            If the package xarray is missing.

        Examples
        --------
        >>> import schild
        >>> data = schild.simulate("naltrexone 50 mg po", until="6 h", n=3).to_xarray("plasma_naltrexone")
        >>> dict(data.sizes)["person"], data["plasma_naltrexone"].attrs["units"]
        (3, 'ng/mL')
        """
        (arrays,) = needed("xarray", "A table of labelled arrays", "xarray")
        shown = self.shown
        variables = {}
        for name in names or tuple(shown):
            output = shown[self[name].name]
            attributes = {"units": output.unit, "long_name": output.kind.words}
            variables[name] = (("person", "time_h"), np.asarray(output.values), attributes)
        time = next(iter(shown.values())).time_h
        who = {} if self.values is None else self.values.people.covariates
        coordinates: dict[str, Any] = {"time_h": time, "person": np.arange(1, self.n + 1)}
        coordinates |= {name: ("person", np.asarray(column)) for name, column in who.items()}
        found: xarray.Dataset = arrays.Dataset(variables, coordinates, {"title": self.title})
        return found

    def picture(self, *names: str) -> Picture:
        """Charts of outputs over time, one for each unit; populations as median with 50 % and 90 % bands.

        Parameters
        ----------
        *names : str
            Outputs; by default plasma and receptor occupancy as measured by PET.

        Returns
        -------
        Picture
            A chart for each unit.
        """
        from schild.simulation.plot import draw

        shown = self.shown
        return draw([shown[self[name].name] for name in names or default_names(shown)], self.title)

    def run_file(self) -> str:
        """Write the run file that made this result.

        Returns
        -------
        str
            TOML for ``Run.from_toml`` and ``schild simulate``; it gives the same manifest.

        Raises
        ------
        InputError
            For a run of another command, whose output times a run file cannot hold.

        Examples
        --------
        >>> import schild
        >>> print(schild.simulate("naltrexone 50 mg po", until="2 h", overrides={"naltrexone.cl": 120}).run_file())
        [run]
        title = ""
        until = "2 h"
        seed = 1
        receptors = ["mor", "kor", "dor"]
        tone = true
        without = []
        <BLANKLINE>
        [[dose]]
        regimen = "naltrexone 50 mg po"
        <BLANKLINE>
        [numbers]
        "naltrexone.cl" = 120.0
        <BLANKLINE>
        """
        if self.run is None:
            raise InputError("This result has output times of its own, which a run file cannot hold; simulate the run.")
        return self.run.to_toml()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract as Python data; numbers that are not finite become None."""
        outputs: dict[str, Any] = {}
        for name, output in self.shown.items():
            entry: dict[str, Any] = {"unit": output.unit, "time_h": output.time_h.tolist()}
            if self.n == 1:
                entry["value"] = plain(output.values[0])
            else:
                for label, q in zip(LABELS, QUANTILES, strict=True):
                    entry[label] = plain(output.quantile(q))
                if output.draws:
                    entry["median_q05"], entry["median_q95"] = (plain(output.uncertainty(q)) for q in (0.05, 0.95))
            outputs[name] = entry
        return {
            "manifest": dict(self.manifest),
            "outputs": outputs,
            "metrics": plain(dict(self.metrics)),
            "warnings": list(self.warnings),
            "cite": cited(self.sources),
        }


def default_names(outputs: Mapping[str, Output]) -> list[str]:
    """Choose the default outputs of a figure: plasma, then receptor occupancy as measured by PET."""
    return [name for name, output in outputs.items() if output.kind.drawn]


def manifest_of(run: Run, values: Values, structures: Mapping[str, str], rtol: float) -> dict[str, Any]:
    """Describe a run so that it can be repeated: versions, seed, tolerance, given numbers, hashes of all it used."""
    text = json.dumps(run.model_dump(mode="json", exclude_none=True), sort_keys=True)
    return {
        **versions("scipy", "numba", "llvmlite"),
        "run": blake2b(text.encode(), digest_size=16).hexdigest(),
        "catalogue": values.uses.digests(values.catalogue),
        **values.catalogue.stamp,
        "numbers": dict(values.overrides),
        "structure": dict(structures),
        "seed": run.run.seed,
        "subjects": values.people.n,
        "rtol": rtol,
        "title": run.run.title,
        "regimens": [d.to_words() for d in run.doses],
    }


def metric(values: Sequence[float] | AnyFloats) -> Any:
    """Return one number for one subject, quantiles for many."""
    array = np.ravel(np.asarray(values, dtype=np.float64))
    if array.size == 1:
        return float(array[0])
    good = array[np.isfinite(array)]
    if not good.size:
        return dict.fromkeys(LABELS)
    return dict(zip(LABELS, np.quantile(good, QUANTILES).tolist(), strict=True))
