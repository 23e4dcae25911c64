"""Schemas of a look ahead at a source, as the API tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from ingest.pulling.ahead.preview import DAYS, SourcePreview
from ingest.pulling.choice.counts import ChoiceCount
from ingest.pulling.choice.settling import PartChoice


class CountedChoice(BaseModel):
    """Count of one thing that may be the deployments of a part, in the last 28 days."""

    choice: str
    words: str
    named: str = Field(description="which workflow, or tags like what; empty: none is named")
    number: int | None = Field(description="null: could not be counted")
    is_more: bool = Field(description="there are more than were counted")
    note: str

    @classmethod
    def of(cls, counts: Sequence[ChoiceCount]) -> list[Self]:
        """Counts as they are told."""
        return [cls(**each._asdict(), words=each.words) for each in counts]


class DeploymentChoice(BaseModel):
    """Choice of what the deployments of a part are."""

    choice: str
    words: str
    by: str = Field(description="seen, hand, source: its setting; empty: nothing is there yet")
    records: int = Field(description="that count by it")
    counted: list[CountedChoice]

    @classmethod
    def of(cls, part: PartChoice | None) -> Self | None:
        """The choice as it is told; None where the kind leaves no choice."""
        if part is None:
            return None
        fields = {name: getattr(part, name) for name in ("choice", "words", "by", "records")}
        return cls(**fields, counted=CountedChoice.of(part.seen))


class PartAhead(BaseModel):
    """A part of the source."""

    id: str
    name: str
    workspace: str | None = Field(description="that it would feed; null: none")
    recent: int | None = Field(description=f"records of the last {DAYS} days; null: not looked at")
    deployments: str = Field(description="what its deployments would be; empty: there is no choice")
    counted: list[CountedChoice]


class HistoryCost(BaseModel):
    """Requests and seconds that a history of so many days takes, about."""

    days: int
    requests: int
    seconds: float


class WordAhead(BaseModel):
    """A word of the sender, and what its records would be by it."""

    about: str = Field(description="environment, severity, urgency, framework, ...")
    word: str
    meaning: str | None = Field(description="null: none is known")
    origin: str = Field(description="whose meaning: workspace, organisation, default, unknown")
    records: int
    counting: int
    in_no_figure: dict[str, int]


class SourceAhead(BaseModel):
    """Records that a source would bring: read = counting + in no figure + refused. Nothing is kept."""

    tested: list[str]
    since: datetime
    read_as: str | None = Field(description="the workspace by whose words, where nothing is mapped")
    read: int
    counting: int
    there_already: int = Field(description="of those that are read")
    refused: int
    in_no_figure: dict[str, int]
    refusals: list[str]
    words: list[WordAhead]
    notes: list[str]
    requests: int
    parts: list[PartAhead]
    histories: list[HistoryCost]

    @classmethod
    def of(cls, ahead: SourcePreview) -> Self:
        """The look as it is told."""
        fields = asdict(ahead)
        parts = [
            PartAhead(
                id=p.id,
                name=p.name,
                workspace=p.workspace or None,
                recent=p.recent,
                deployments=p.words,
                counted=CountedChoice.of(p.counts),
            )
            for p in ahead.parts
        ]
        words = [
            WordAhead.model_validate({**asdict(word), "counting": word.counted})
            for word in ahead.words
        ]
        histories = [HistoryCost(**each._asdict()) for each in ahead.estimates]
        more = {"read_as": ahead.as_of or None, "there_already": ahead.known}
        names = {**fields, **more, "parts": parts, "words": words, "histories": histories}
        return cls.model_validate({name: names[name] for name in cls.model_fields})
