"""A digest in words, whatever it goes to: a subject, sections of lines with their links, and a foot."""

from __future__ import annotations

from dataclasses import dataclass

from aggregators import words as figures
from aggregators.vocabulary import formats
from exports.digest.news import DigestNews
from reading.signals import words
from reading.signals.facts import FactSignal
from reading.signals.open_signals import DriftSignal
from reading.signals.signals_json import page_of

MOST = 10
"""Lines of a section; the page has the others."""
SIGNALS, DIGESTS = "/platform/signals", "/platform/signals/digest"


@dataclass(frozen=True, slots=True)
class DigestLine:
    """A sentence, and where it leads; empty for nowhere."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class DigestSection:
    """Lines under a title."""

    title: str
    lines: tuple[DigestLine, ...]


@dataclass(frozen=True, slots=True)
class DigestMessage:
    """A digest as it is told. Addresses are whole."""

    subject: str
    sections: tuple[DigestSection, ...]
    foot: str
    link: str
    settings_link: str


def message(news: DigestNews, organisation: str, address: str) -> DigestMessage:
    """Words of a digest; ``address`` is where people reach the installation."""
    sections = (
        DigestSection("New", _first_lines([_drift(news, s, address) for s in news.new])),
        DigestSection(
            "Beyond a threshold since then", _first_lines([_fact(f, address) for f in news.certain])
        ),
        DigestSection("Ended", _first_lines([_ended_line(s, address) for s in news.ended])),
        DigestSection("Still open", _ongoing_lines(news, address)),
    )
    quiet = (DigestSection("Nothing new", (DigestLine(_quiet(news)),)),) if news.is_quiet else ()
    return DigestMessage(
        f"{organisation}: {subject(news)}",
        quiet + tuple(section for section in sections if section.lines),
        news.promise,
        address + SIGNALS,
        address + DIGESTS,
    )


def subject(news: DigestNews) -> str:
    """Number of new signals, and of which nights."""
    of = f"night of {formats.day(news.night)}"
    if (news.night - news.after).days > 1:
        of = f"since {formats.day(news.after)}"
    number = len(news.new) + len(news.certain)
    return f"{formats.counted(number, 'new signal')}, {of}" if number else f"nothing new, {of}"


def _quiet(news: DigestNews) -> str:
    return (
        f"{formats.counted(news.workspaces, 'workspace')} were looked at each night since"
        f" {formats.day(news.after)}; nothing new began to drift."
    ).replace("1 workspace were", "1 workspace was")


def _drift(news: DigestNews, signal: DriftSignal, address: str) -> DigestLine:
    impact = words.impact(signal)
    sentences = words.sentence(signal), impact and f"{impact}.", news.moved_with(signal)
    return DigestLine(" ".join(filter(None, sentences)), address + page_of(signal))


def _fact(fact: FactSignal, address: str) -> DigestLine:
    title = fact.measure.title + (f", {fact.figure.group}" if fact.figure.group else "")
    since = f" since {formats.day(fact.since)}" if fact.since else ""
    line = f"{fact.name}: {figures.within_sentence(title)} stands at {figures.figure(fact.figure)}{since}."
    return DigestLine(f"{line} Certain.", address + fact.href)


def _ended_line(signal: DriftSignal, address: str) -> DigestLine:
    """Line about a drift that is over."""
    assert signal.ended_on
    line = (
        f"{signal.workspace.name}: {figures.within_sentence(words.measure(signal))} drifted from"
        f" {formats.day(signal.since)} to {formats.day(signal.ended_on)}."
    )
    return DigestLine(line, address + page_of(signal))


def _ongoing_lines(news: DigestNews, address: str) -> tuple[DigestLine, ...]:
    """How many go on, and the one with the strongest evidence."""
    if not news.ongoing:
        return ()
    first, others = news.ongoing[0], len(news.ongoing) - 1
    lines = [DigestLine(words.sentence(first), address + page_of(first))]
    if others:
        lines.append(DigestLine(f"{formats.counted(others, 'other')} with less evidence."))
    return tuple(lines)


def _first_lines(lines: list[DigestLine]) -> tuple[DigestLine, ...]:
    """The first lines, and how many more there are."""
    more = len(lines) - MOST
    rest = [DigestLine(f"{formats.number(more)} more stand on the page.")] if more > 0 else []
    return tuple(lines[:MOST] + rest)
