"""The pack's visual language: colours, type sizes and distances, all in points."""

from __future__ import annotations

from dataclasses import dataclass

from aggregators.vocabulary.measure import Status

WHITE, INK, MUTED = "#FFFFFF", "#16202B", "#4B5866"
RULE, GRID, TINT = "#C9D1D9", "#E1E6EB", "#F4F6F8"
ACCENT, PREVIOUS = "#0B5CAD", "#97A3AF"
BAND = "#DCE7F2"
"""Ground of what is expected."""
COLOUR = {
    Status.GOOD: "#1B6B74",
    Status.WATCH: "#946200",
    Status.BAD: "#9E0B3A",
    Status.NO_DATA: "#5B6673",
}
BAD, WATCH, GOOD = COLOUR[Status.BAD], COLOUR[Status.WATCH], COLOUR[Status.GOOD]

TINY, SMALL, BODY, LEAD, TITLE, COVER, FIGURE = 6.5, 7.5, 8.5, 10.5, 17, 25, 33
"""The screen's 13/14/16/24/36 at print size."""

WIDTH, HEIGHT = 841.89, 595.28
LEFT, RIGHT, TOP = 40.0, WIDTH - 40.0, 30.0
BOTTOM = HEIGHT - 44.0
"""Where content ends and the footer begins."""

NAME = 150.0
"""Longest name in running text."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, from its upper left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self.y + self.h

    def shorter(self, by: float) -> Box:
        """The box without its lowest ``by`` points."""
        return Box(self.x, self.y, self.w, self.h - by)

    def below(self, y: float) -> Box:
        """The part of the box under ``y``."""
        return Box(self.x, y, self.w, self.bottom - y)
