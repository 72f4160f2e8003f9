"""Which columns become inputs and how: the `features` and `selection` parts of model.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from bot.specs.base import Spec, wrong
from bot.specs.expression import number_columns
from bot.specs.shorthand import BLOCKS, ONE_OR_MORE, Column, Pattern

# How many values a part of a date has before it comes round.
PERIODS = {"quarter": 4, "month": 12, "week": 53, "day": 31, "weekday": 7, "hour": 24, "minute": 60}

Columns = Annotated[tuple[Pattern, ...], ONE_OR_MORE, Field(min_length=1)]


class Numeric(Spec):
    """Columns of numbers (booleans count as 0 and 1)."""

    columns: Columns
    impute: Literal["median", "mean", "most_frequent", "constant", "none"] | None = None
    """Left out: `none` for estimators that take missing values, else `median`; `median` too beside `bins`, `splines` or
    `polynomial`. By the training rows. Infinite values are missing."""
    fill: float | None = None
    """The value for `impute: constant`, 0 when it is left out. Refused beside another `impute`."""
    indicator: bool = False
    """Add an input that says where the value was missing, for each column with missing training rows. Refused where
    nothing is imputed, also by default."""
    scale: Literal["none", "standard", "robust", "min_max", "quantile", "power"] | None = None
    """Left out: `standard` for linear models, neighbours, kernels and networks, else `none`. Comes last, after
    `splines` and `polynomial`. Refused beside `bins`."""
    polynomial: Annotated[int, Field(ge=1, le=3)] = 1
    """Add powers and products up to this degree, of the block's columns with one another. Refused beside `bins`."""
    bins: Annotated[int, Field(ge=2, le=256)] | None = None
    """Cut into this many bins of equal counts of the training rows, each an input of 0 or 1."""
    splines: Annotated[int, Field(ge=2, le=50)] | None = None
    """Cubic B-spline basis with this many knots. Refused beside `bins`."""

    @model_validator(mode="after")
    def _each_key_does_something(self) -> Numeric:
        if self.fill is not None and self.impute != "constant":
            raise wrong("`fill` does nothing without `impute: constant`", "Add it, or remove `fill`.", key="fill")
        if self.indicator and self.impute == "none":
            hint = "Write `impute: median`, or remove `indicator`."
            raise wrong("`indicator` does nothing beside `impute: none`", hint, key="indicator")
        if self.bins is None:
            return self
        beside = {"splines": self.splines, "polynomial": self.polynomial > 1, "scale": self.scale not in (None, "none")}
        for key, is_set in beside.items():
            if is_set:
                hint = f"Remove `{key}`, or `bins`."
                raise wrong(f"`{key}` does nothing beside `bins`: each bin is an input of 0 or 1", hint, key=key)
        return self


class Categorical(Spec):
    """Columns of categories: text, booleans, or numbers that only name things."""

    columns: Columns
    impute: Literal["constant", "most_frequent"] = "constant"
    """`constant`: missing is a category of its own."""
    encode: Literal["one_hot", "ordinal", "target", "native"] | None = None
    """Left out: `ordinal` for trees, `one_hot` else. `native`: the estimator's own categorical splits."""
    unknown: Literal["ignore", "infrequent", "missing", "error"] = "ignore"
    """A category that training did not see. `ignore`: in no input (`one_hot`), or a number of its own, -1 (`ordinal`).
    `infrequent`: as the infrequent ones, beside `one_hot` with `min_frequency` or `max_categories`. `missing`: as a
    missing number, beside `ordinal` and an estimator that takes these. `error`: the row is refused. Refused wherever
    else it would do nothing; beside `target` only `ignore` is right, and is the mean."""
    min_frequency: Annotated[int, Field(ge=1)] | None = None
    """Categories with fewer training rows become one. Refused when 1, and beside `encode: target`."""
    max_categories: Annotated[int, Field(ge=2, le=10_000)] | None = None
    """Keep this many categories: the most frequent ones, and one for the others. Refused beside `encode: target`."""

    @model_validator(mode="after")
    def _each_key_does_something(self) -> Categorical:
        if self.min_frequency == 1:
            raise wrong("`min_frequency: 1` does nothing", "Write 2 or more, or remove it.", key="min_frequency")
        if self.encode == "target":
            for key, nothing in (("unknown", "ignore"), ("min_frequency", None), ("max_categories", None)):
                if getattr(self, key) != nothing:
                    hint = "Remove it: a category of few rows is drawn to the mean, and a new one is the mean."
                    raise wrong(f"`{key}` does nothing beside `encode: target`", hint, key=key)
        if self.unknown == "infrequent" and self.encode in ("ordinal", "native"):
            hint = "Write `encode: one_hot`, or `unknown: ignore`, by which a new category has a number of its own."
            raise wrong(f"`unknown: infrequent` does nothing beside `encode: {self.encode}`", hint, key="unknown")
        if self.unknown == "infrequent" and self.min_frequency is None and self.max_categories is None:
            hint = "Add `min_frequency` or `max_categories`, or write `unknown: ignore`."
            raise wrong("`unknown: infrequent` does nothing: no category is made infrequent", hint, key="unknown")
        if self.unknown == "missing" and self.encode == "one_hot":
            hint = "Write `unknown: ignore`: a new category is in no input then."
            raise wrong("`unknown: missing` does nothing beside `encode: one_hot`", hint, key="unknown")
        return self


class Text(Spec):
    """Columns of free text, as TF-IDF weights."""

    columns: Columns
    analyzer: Literal["word", "char_wb"] = "word"
    ngrams: Annotated[int, Field(ge=1, le=5)] = 1
    """Longest sequence of words (or characters) that is one input."""
    min_documents: Annotated[int, Field(ge=1)] = 2
    """Sequences in fewer rows are left out."""
    max_inputs: Annotated[int, Field(ge=1, le=100_000)] = 1000
    components: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Reduce to this many by truncated SVD. Refused when there are not more inputs than that."""

    @model_validator(mode="after")
    def _reduces(self) -> Text:
        if self.components is not None and self.components >= self.max_inputs:
            hint = f"Write fewer than `max_inputs: {self.max_inputs}`."
            raise wrong("`components` reduces nothing", hint, key="components")
        return self


class DateTime(Spec):
    """Columns of dates and times, split into parts."""

    columns: Columns
    parts: Annotated[
        tuple[Literal["year", "quarter", "month", "week", "day", "weekday", "hour", "minute", "elapsed_days"], ...],
        Field(min_length=1),
    ] = ("month", "weekday", "hour")
    cyclic: bool = False
    """Sine and cosine instead of the number, so that December is next to January. Refused without a part that comes
    round; `year` and `elapsed_days` stay numbers. All parts are those in UTC."""
    zone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+:/-]{1,60}$")] | None = None
    """Zone whose clock and calendar the parts are read from, such as `Europe/Paris`. Left out: the column's own. A
    column without a zone is taken as it is."""

    @model_validator(mode="after")
    def _each_key_does_something(self) -> DateTime:
        if len(set(self.parts)) < len(self.parts):
            raise wrong("a part is named twice", "Keep one of the two.", key="parts")
        if self.cyclic and not PERIODS.keys() & set(self.parts):
            hint = f"Remove it, or name one of {', '.join(PERIODS)}."
            raise wrong(f"`cyclic` does nothing: {' and '.join(self.parts)} never come round", hint, key="cyclic")
        return self


class Auto(Spec):
    """Columns that no list names are taken by their type and number of different values."""

    max_categories: Annotated[int, Field(ge=2, le=10_000)] = 50
    """Text columns with more different values are left out, and said so."""
    text_from_words: Annotated[float, Field(gt=0)] = 4.0
    """A text column with more words a value, on average, is free text."""


class Features(Spec):
    """Inputs, by kind. A kind is a list of names or patterns, or a mapping with `columns`, or a list of such mappings.

    Without any list, and with `auto: true`, columns are taken by type and cardinality.
    """

    auto: bool | Auto = False
    """Take columns that no list names by type and number of different values."""
    exclude: tuple[Pattern, ...] = ()
    """Columns (or patterns) that are never inputs, whatever `auto` or a pattern says. Refused when a list names it."""
    numeric: Annotated[tuple[Numeric, ...], BLOCKS] = ()
    categorical: Annotated[tuple[Categorical, ...], BLOCKS] = ()
    text: Annotated[tuple[Text, ...], BLOCKS] = ()
    datetime: Annotated[tuple[DateTime, ...], BLOCKS] = ()
    derived: dict[Column, Annotated[str, Field(max_length=500)]] = Field(default={})
    """New columns by arithmetic of others, for example `speed: distance / air_time`. They are numeric inputs, in this
    order. The difference of two dates or times is a number of days, a condition is 0 or 1, and division by zero is a
    missing value. Refused when the value is text or a time, or when no column is named."""

    @field_validator("derived")
    @classmethod
    def _readable(cls, derived: dict[str, str]) -> dict[str, str]:
        for name, text in derived.items():
            try:
                number_columns(text)
            except PydanticCustomError as error:
                context = error.context or {}
                raise wrong(context["text"], context["hint"], key=name) from None
        return derived

    @model_validator(mode="after")
    def _something(self) -> Features:
        if not (self.auto or self.numeric or self.categorical or self.text or self.datetime or self.derived):
            raise wrong("no inputs are named", "Add `auto: true`, or list columns under numeric, categorical, ...")
        return self

    @property
    def auto_settings(self) -> Auto | None:
        """Settings of `auto`, None when only listed columns are inputs."""
        return self.auto if isinstance(self.auto, Auto) else Auto() if self.auto else None


class Selection(Spec):
    """Which inputs are kept. Test rows are never looked at."""

    method: Literal["none", "one_standard_error"] = "none"
    """`one_standard_error`: the fewest columns whose cross-validated score is within one standard error of the best.
    The score is that of the primary metric on folds of the training rows, without threshold, and without calibration
    unless only that gives the probabilities it needs. The other keys are refused beside `none`."""
    path: Literal["fast", "thorough"] = "fast"
    """`fast`: seconds, in a sixth of the time of scikit-learn's RFECV. `thorough`: fewer inputs, confirmed on fresh
    folds; six to fifteen times as long, and not worth it for many columns on few rows (docs/selection.md)."""
    at_most: Annotated[int, Field(ge=1)] | None = None
    """Keep no more source columns than this, whatever they score."""
    always: tuple[Column, ...] = ()
    """Columns that are kept whatever their worth."""
    folds: Annotated[int, Field(ge=2, le=50)] = 5
    max_minutes: Annotated[float, Field(gt=0)] = 10.0
    """For `path: thorough`, which stops after this many minutes with the fewest so far."""

    @model_validator(mode="after")
    def _each_key_does_something(self) -> Selection:
        for key in sorted(self.model_fields_set - {"method"}) if self.method == "none" else ():
            hint = "Write `method: one_standard_error`, or remove it."
            raise wrong(f"`{key}` does nothing without a method", hint, key=key)
        if "max_minutes" in self.model_fields_set and self.path == "fast":
            raise wrong("`max_minutes` does nothing beside `path: fast`", "Remove it.", key="max_minutes")
        if self.at_most is not None and self.at_most < len(self.always):
            hint = f"Write at least {len(self.always)}, the number of columns under `always`."
            raise wrong("`at_most` is less than what is always kept", hint, key="at_most")
        return self
