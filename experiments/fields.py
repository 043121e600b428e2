"""The leaf types of the experiment file, each with the sentence that says what must hold.

Types are strict: ``"3"`` is no number, ``1.0`` no whole number, ``true`` neither. A whole number is
accepted where any number is. Not-a-number and the infinities are refused everywhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

#: The type of a pydantic error whose message is the sentence after the key, "must ...".
MUST = "must"

#: Starts every tag of a union, so that a tag in an error's `loc` cannot be taken for a key.
TAG = "\0"

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


class Section(BaseModel):
    """A mapping of the file: no unknown keys, no coercion, no change after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def says(sentence: str) -> WrapValidator:
    """Replaces whatever pydantic has to say about a value by one sentence."""

    def check(value: Any, inner: ValidatorFunctionWrapHandler) -> Any:
        try:
            return inner(value)
        except ValidationError:
            raise PydanticCustomError(MUST, sentence) from None

    return WrapValidator(check)


def says_of_container(sentence: str) -> WrapValidator:
    """As `says`, but what is wrong with an entry is said of that entry, at its own place."""

    def check(value: Any, inner: ValidatorFunctionWrapHandler) -> Any:
        try:
            return inner(value)
        except ValidationError as error:
            if any(entry["loc"] for entry in error.errors()):
                raise
            raise PydanticCustomError(MUST, sentence) from None

    return WrapValidator(check)


def tagged_by_kind(value: Any) -> str | None:
    """The union tag of a section that names its `kind`."""
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return TAG + kind if isinstance(kind, str) else None


def of_bare_kind(value: Any) -> Any:
    """A kind alone, as the section that names it and nothing else."""
    return {"kind": value} if isinstance(value, str) else value


def _is_one(value: Any) -> Any:
    # Pydantic takes true and 1.0 for the literal 1.
    if type(value) is not int:
        raise PydanticCustomError(MUST, "must be 1, the version of this format")
    return value


Version = Annotated[
    Literal[1], BeforeValidator(_is_one), says("must be 1, the version of this format")
]
Name = Annotated[
    str,
    Field(pattern=NAME),
    says(
        "must be a name of 1 to 64 letters, digits, dots, dashes or underscores "
        "that starts with a letter or digit"
    ),
]
Text = Annotated[str, Field(min_length=1), says("must be a text that is not empty")]
TextOrNull = Annotated[
    Annotated[str, Field(min_length=1)] | None, says("must be a text that is not empty, or null")
]
TrueOrFalse = Annotated[bool, says("must be true or false")]
Number = Annotated[float, says("must be a number")]
Positive = Annotated[float, Field(gt=0), says("must be a number above 0")]
NonNegative = Annotated[float, Field(ge=0), says("must be a number of at least 0")]
Share = Annotated[float, Field(ge=0, le=1), says("must be a number from 0 to 1")]
PositiveShare = Annotated[
    float, Field(gt=0, le=1), says("must be a number above 0 and of at most 1")
]
Half = Annotated[float, Field(gt=0, le=0.5), says("must be a number above 0 and of at most 0.5")]
AboveOne = Annotated[float, Field(gt=1), says("must be a number above 1")]
Whole = Annotated[int, says("must be a whole number")]
Count = Annotated[int, Field(ge=1), says("must be a whole number of at least 1")]
CountOrZero = Annotated[int, Field(ge=0), says("must be a whole number of at least 0")]
PositiveOrAuto = Annotated[
    Literal["auto"] | Annotated[float, Field(gt=0)], says("must be a number above 0, or auto")
]
CountOrNull = Annotated[
    Annotated[int, Field(ge=1)] | None, says("must be a whole number of at least 1, or null")
]
Scale = Annotated[Literal["linear", "log"], says("must be linear or log")]
Free = Annotated[dict[str, Any], says("must be a mapping")]
