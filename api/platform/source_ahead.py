"""Schemas of a look ahead at a source, as the API tells it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from ingest.pulling.ahead.preview import DAYS, SourcePreview


class PartAhead(BaseModel):
    """A part of the source."""

    name: str
    workspace: str | None = Field(description="that it would feed; null: none")
    recent: int | None = Field(description=f"records of the last {DAYS} days; null: not looked at")


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
        told = asdict(ahead)
        parts = [
            PartAhead(name=p.name, workspace=p.workspace or None, recent=p.recent)
            for p in ahead.parts
        ]
        words = [
            WordAhead.model_validate({**asdict(word), "counting": word.counted})
            for word in ahead.words
        ]
        histories = [HistoryCost(**each._asdict()) for each in ahead.estimates]
        more = {"read_as": ahead.as_of or None, "there_already": ahead.known}
        names = {**told, **more, "parts": parts, "words": words, "histories": histories}
        return cls.model_validate({name: names[name] for name in cls.model_fields})
