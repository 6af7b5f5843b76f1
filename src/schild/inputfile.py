"""Files that a user writes, a run or a trial: sections checked by pydantic, and its findings as sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from schild.errors import InputError
from schild.textfile import MAX_BYTES, read_toml


def _with_unit(value: Any) -> Any:
    # A number without a unit would be ambiguous.
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a time with a unit; write it like '24 h'")
    return value


#: A time in words, with its unit.
Time = Annotated[str, BeforeValidator(_with_unit)]


def _sex(value: Any) -> Any:
    word = value.strip().lower() if isinstance(value, str) else ""
    return {"f": "female", "female": "female", "m": "male", "male": "male"}.get(word, value)


#: Sex, also by its first letter.
Sex = Annotated[Literal["female", "male"], BeforeValidator(_sex)]


class Section(BaseModel):
    """A section of a file; an entry that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InputFile(Section):
    """A whole file; the name of its class is that of its JSON Schema (``schild schema``)."""

    @classmethod
    def parse(cls, data: Any) -> Self:
        """Check data of the shape of the file.

        Raises
        ------
        InputError
            One message that names each field, what was given and what was expected.
        """
        if isinstance(data, dict):
            data = {k: v for k, v in data.items() if v is not None}
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise InputError(_sentence(error, cls.__name__.lower())) from None

    @classmethod
    def _read(cls, path: str | Path, needs: str, *, most: int = MAX_BYTES) -> Self:
        kind = cls.__name__.lower()
        data = read_toml(path, f"a {kind} file with at least one [[{needs}]] (see `schild schema {kind}`)", most=most)
        try:
            return cls.parse(data)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None


def _sentence(error: ValidationError, kind: str) -> str:
    """Turn pydantic's findings into sentences: field, what was wrong, what was given."""
    parts = []
    for finding in error.errors(include_url=False)[:8]:
        place = ".".join(str(x) for x in finding["loc"]) or f"the {kind}"
        given = repr(finding.get("input"))
        given = given if len(given) <= 60 else given[:57] + "..."
        if finding["type"] == "extra_forbidden":
            parts.append(f"{place} is not a known entry (given {given}); remove it or correct its name")
        elif finding["type"] == "missing":
            parts.append(f"{place} is missing; add it")
        else:
            parts.append(f"{place}: {finding['msg'].removeprefix('Value error, ')} (given {given})")
    more = f"; and {error.error_count() - 8} more" if error.error_count() > 8 else ""
    what = f"The {kind} is not understood: {'; '.join(parts)}{more}."
    return f"{what} Correct it; `schild schema {kind}` lists all entries."
