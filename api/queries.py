"""Parameters of the API's operations, as models: how they are read, and how the document shows them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from aggregators.catalogue import DOMAINS
from aggregators.pooling.contributions import ORDERS
from aggregators.vocabulary.period import (
    ASKED,
    DEFAULT_PRESET,
    MAX_DAYS,
    PRESETS,
    Ask,
    Compare,
)
from exports.files import MEDIA_TYPES
from layouts.focus import MAX_LINK
from reading.encode import FULL_UP_TO
from reading.grid_request import MOST as MOST_ROWS
from web.problem import invalid

KEYS = tuple(domain.key for domain in DOMAINS)
LINKS = {
    name: sorted({value for d in DOMAINS if d.records for value in d.records.links.get(name, ())})
    for name in sorted({name for d in DOMAINS if d.records for name in d.records.links})
}
"""Parameters that links to a listing carry, with every value that one of the listings takes."""
MOST, DEFAULT_ROWS = 999_999, 100
DIGITS = re.compile(r"[0-9]{1,6}")


def _one_of(values: tuple[str, ...]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in values:
            raise ValueError(f"must be one of {', '.join(values)}")
        return value

    return check


def _whole_number(least: int, most: int = MOST) -> Callable[[Any], int]:
    """Reader of a whole number in ASCII digits."""

    def read(value: Any) -> int:
        if (
            not isinstance(value, str)
            or not DIGITS.fullmatch(value)
            or not least <= int(value) <= most
        ):
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return read


def _text(value: Any) -> str:
    """Text of a JSON value: a number stands for its digits, as a period of days may be given."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("must be text")
    return str(value)


def _count(least: int, most: int = MOST) -> WithJsonSchema:
    return WithJsonSchema({"type": "integer", "minimum": least, "maximum": most})


DomainKey = Annotated[
    str, AfterValidator(_one_of(KEYS)), WithJsonSchema({"type": "string", "enum": list(KEYS)})
]
FromNought = Annotated[int, BeforeValidator(_whole_number(0)), _count(0)]
FromOne = Annotated[int, BeforeValidator(_whole_number(1)), _count(1)]
PageSize = Annotated[int, BeforeValidator(_whole_number(1, MOST_ROWS)), _count(1, MOST_ROWS)]
Preset = Annotated[
    str | None,
    WithJsonSchema({"type": "integer", "enum": list(PRESETS)}),
]
Day = Annotated[str | None, WithJsonSchema({"type": "string", "format": "date"})]
Switch = Annotated[Literal["0", "1"], WithJsonSchema({"type": "integer", "enum": [0, 1]})]
Detail = Annotated[
    Literal["full", "brief"] | None, WithJsonSchema({"type": "string", "enum": ["full", "brief"]})
]
Rank = Annotated[
    str,
    AfterValidator(_one_of(tuple(ORDERS))),
    WithJsonSchema({"type": "string", "enum": list(ORDERS)}),
]
JsonText = Annotated[
    str | None, WithJsonSchema({"type": "string", "contentMediaType": "application/json"})
]
BodyPreset = Annotated[
    str | None,
    BeforeValidator(_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "enum": list(PRESETS)},
                {"type": "string", "enum": [str(days) for days in PRESETS]},
            ]
        }
    ),
]
CompareWith = Annotated[
    str | None, WithJsonSchema({"type": "string", "enum": [one.value for one in Compare]})
]
BodyCompare = Annotated[
    str | None,
    BeforeValidator(_text),
    WithJsonSchema({"type": "string", "enum": [one.value for one in Compare]}),
]
BodyDay = Annotated[
    str | None, BeforeValidator(_text), WithJsonSchema({"type": "string", "format": "date"})
]
ExportFormat = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(_one_of(tuple(MEDIA_TYPES))),
    WithJsonSchema({"type": "string", "enum": list(MEDIA_TYPES)}),
]


class PeriodQuery(BaseModel):
    """Period of a request: the last so many days, or a range; and the days it is compared with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    period: Preset = Field(
        None,
        description="The last days; not with start, end",
        json_schema_extra={"default": DEFAULT_PRESET},
    )
    start: Day = Field(None, description=f"First day of a range of at most {MAX_DAYS} days")
    end: Day = Field(None, description="Last day of the range, included")
    compare: CompareWith = Field(
        None,
        description="Days that changes are against: those before, the same ones a year ago, or none; "
        "answers are always told against those before",
        json_schema_extra={"default": Compare.PREVIOUS.value},
    )

    @property
    def ask(self) -> Ask:
        """Period as it is asked for. Raises InvalidPeriod."""
        return Ask.parse(self.period, self.start, self.end, self.compare)


class DashboardQuery(PeriodQuery):
    """Period, domains (all when empty), and how much of the breakdown."""

    domain: tuple[DomainKey, ...] = Field((), description="Only these domains; repeatable")
    workspaces: Switch = Field(
        "1", description="0 leaves the breakdown out", json_schema_extra={"default": 1}
    )
    detail: Detail = Field(
        None,
        description="full: every measure of every workspace, with its series; brief: the measures that "
        f"cards and tables show, their series empty. Full up to {FULL_UP_TO} workspaces, brief beyond",
    )
    rank: Rank = Field(
        "value",
        description="Order of the workspaces: worst first by the value, by the evidence that it drifts, or "
        "by their part in the change of the organisation's figure; by the value where neither is known",
    )
    limit: FromOne | None = Field(
        None, description="At most so many workspaces a domain; all if absent"
    )
    offset: FromNought | None = Field(None, description="So many of the worst are left out before")

    @property
    def breakdown(self) -> bool:
        """Whether the workspaces are in the answer."""
        return self.workspaces == "1"

    @property
    def full(self) -> bool | None:
        """Whether every measure has its series; None where the number of workspaces decides."""
        return {None: None, "full": True, "brief": False}[self.detail]

    @property
    def ranks(self) -> slice:
        """Ranks of each domain that are in the answer."""
        if self.limit is None:
            return slice(self.offset, None)
        return slice(self.offset or 0, (self.offset or 0) + self.limit)


def _with_links(schema: dict[str, Any]) -> None:
    for name, values in LINKS.items():
        about = "Narrows the listing that knows it, as the dashboard's links do"
        takes = {"enum": values} if values else {"maxLength": MAX_LINK}
        schema["properties"][name] = {"type": "string", "description": about, **takes}


class RecordsQuery(PeriodQuery):
    """Period, filter and sort of a listing; further parameters are those of links."""

    model_config = ConfigDict(frozen=True, extra="allow", json_schema_extra=_with_links)

    filter: JsonText = Field(None, description="ag-grid's filter model: column to condition")
    sort: JsonText = Field(None, description="ag-grid's sort model: list of {colId, sort}")

    @property
    def links(self) -> dict[str, str]:
        """Parameters beside period, filter and sort."""
        return dict(self.model_extra or {})


class RecordsPageQuery(RecordsQuery):
    """A page of a listing: so many records after the first ones; those of the query alone."""

    limit: PageSize = Field(
        DEFAULT_ROWS,
        description="At most so many records",
        json_schema_extra={"default": DEFAULT_ROWS},
    )
    offset: FromNought = Field(
        0, description="So many records are left out before", json_schema_extra={"default": 0}
    )

    @property
    def narrowing(self) -> dict[str, str]:
        """Parameters of links. Raises Problem 422 for one that no listing knows, or a value none takes."""
        for name, value in self.links.items():
            if name not in LINKS:
                known = ", ".join([*type(self).model_fields, *LINKS])
                raise invalid(name[:40], f"is not known; there are {known}")
            if LINKS[name] and value not in LINKS[name]:
                raise invalid(name, f"must be one of {', '.join(LINKS[name])}")
            if not isinstance(value, str) or len(value) > MAX_LINK:
                raise invalid(name, f"has at most {MAX_LINK} characters")
        return self.links


class ExportRequest(BaseModel):
    """Period and format of an export."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    period: BodyPreset = Field(
        None,
        description="The last days; not with start, end",
        json_schema_extra={"default": DEFAULT_PRESET},
    )
    start: BodyDay = Field(None, description=f"First day of a range of at most {MAX_DAYS} days")
    end: BodyDay = Field(None, description="Last day of the range, included")
    compare: BodyCompare = Field(None, description="Days that changes are against")
    format: ExportFormat = Field("pdf", description="File that is made")

    @property
    def ask(self) -> Ask:
        """Period as it is asked for. Raises InvalidPeriod."""
        return Ask.parse(self.period, self.start, self.end, self.compare)

    @property
    def params(self) -> dict[str, str]:
        """Period as the job keeps it."""
        return {name: text for name in ASKED if (text := getattr(self, name))}
