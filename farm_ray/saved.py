"""What a saved JSON file says, checked against a schema with bounds before anything is built from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from farm_ray.errors import ModelFolderError
from farm_ray.foreign import shown, text_problem

if TYPE_CHECKING:
    from pathlib import Path

    from farm_ray.plain import PlainMapping

Number = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""What fits into 64 bits."""
Count = Annotated[int, Field(ge=0, lt=2**31)]
Width = Annotated[int, Field(ge=1, lt=2**31)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Labels = list[str | int | Finite | None]


class Saved(BaseModel):
    """The entries of a JSON file that count; there may be others. Types are taken as JSON has them."""

    model_config = ConfigDict(extra="allow", strict=True, protected_namespaces=())


def check_saved(kind: type[Saved], values: PlainMapping, file: Path) -> None:
    """Refuses values that do not fit the schema, and texts that are none.

    Raises:
        ModelFolderError: Names file, entry and value.
    """
    try:
        kind.model_validate(dict(values))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"][:2])
        reason = f"{problem['msg'].removeprefix('Value error, ')} (got {shown(problem.get('input'))})"
    else:
        wrong = next((one for one in map(text_problem, _texts(values)) if one), None)
        if wrong is None:
            return
        place, reason = "an entry", wrong
    raise ModelFolderError(
        f"{file}: {place}: {reason}; it is damaged, copy the model folder again",
        code="damaged-entry",
        entry=place,
        file=str(file),
    )


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for name, part in value.items() for text in (name, *_texts(part))]
    return [text for part in value for text in _texts(part)] if isinstance(value, list) else []
