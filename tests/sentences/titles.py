"""Titles of the pack's pages: what the headline did, who moved it, who is worst."""

from __future__ import annotations

import math

from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import Unit
from tests.sentences.kinds import NAME, NUMBER, SentenceKinds, whole
from tests.sentences.truth import Change, Truth, bad, is_best

CLAIMS, RESTS = SentenceKinds(), SentenceKinds()
"""Claims about the headline of the organisation, and clauses beside them."""


def check_title(truth: Truth, title: str, domain: Domain) -> None:
    """Both clauses of a title, in whichever order they stand."""
    clauses = title.split("; ")
    subject = domain.measure(domain.headline).title[1:]
    (claim,) = [clause for clause in clauses if clause[1:].startswith(subject)]
    CLAIMS.check(truth, [claim], domain=domain)
    RESTS.check(truth, [c for c in clauses if c is not claim], domain=domain)


def headline(truth: Truth, domain: Domain) -> tuple[str | None, Change]:
    """The organisation's headline and the group that it is of."""
    group = truth.worst_group(domain, truth.everybody, domain.headline)
    return group, truth.change(domain.headline, truth.everybody, group or "")


def text_of(value: float | None, unit: Unit, beside: float | None = None) -> str:
    return formats.value(value, unit, beside)


SUBJECT = r"(?P<subject>[\w /-]+?)(?: \((?P<group>\w+)\))?"


def is_subject(domain: Domain, subject: str, group: str | None, own: str | None) -> None:
    assert subject.casefold() == domain.measure(domain.headline).title.casefold()
    assert (group or "") == (own or "")


@CLAIMS.of(rf"{SUBJECT}: no data in this period")
def no_data(truth: Truth, domain: Domain, subject, group) -> None:
    own, change = headline(truth, domain)
    assert own is None or change.now.value is None


@CLAIMS.of(rf"{SUBJECT}: (?P<now>.+), nothing earlier to compare")
def nothing_earlier(truth: Truth, domain: Domain, subject, group, now) -> None:
    own, change = headline(truth, domain)
    is_subject(domain, subject, group, own)
    assert change.delta is None
    assert now == text_of(change.now.value, domain.measure(domain.headline).unit)


@CLAIMS.of(rf"{SUBJECT} held at (?P<now>.+)")
def held(truth: Truth, domain: Domain, subject, group, now) -> None:
    own, change = headline(truth, domain)
    unit = domain.measure(domain.headline).unit
    is_subject(domain, subject, group, own)
    assert now == text_of(change.now.value, unit)
    assert now == text_of(change.before.value, unit, change.now.value)


@CLAIMS.of(rf"{SUBJECT} (?P<way>rose|fell)(?: by (?P<by>.+?)| (?P<nought>from 0))? to (?P<now>.+)")
def changed(truth: Truth, domain: Domain, subject, group, way, by, nought, now) -> None:
    own, change = headline(truth, domain)
    unit = domain.measure(domain.headline).unit
    is_subject(domain, subject, group, own)
    assert (way == "rose") == (change.delta > 0)
    assert now == text_of(change.now.value, unit)
    assert not nought or change.before.value == 0
    assert by is None or by == size(change.delta, domain)


def size(change: float, domain: Domain) -> str:
    unit = domain.measure(domain.headline).unit
    if unit is Unit.RATIO:
        return f"{formats.number(abs(change) * 100, 1)} points"
    return text_of(abs(change), unit)


def short(change: float, domain: Domain) -> str:
    return size(change, domain).removesuffix(" points")


class Shares:
    """Parts of the workspaces in the change of a headline, those along it first."""

    def __init__(self, truth: Truth, domain: Domain) -> None:
        group, change = headline(truth, domain)
        self.domain, self.delta = domain, change.delta
        self.each = truth.shares(domain.headline, group or "")
        total = math.fsum(self.each.values())
        assert math.isclose(total, self.delta, abs_tol=1e-9), "parts add up to the change"
        self.along = sorted(
            (share for share in self.each.values() if share * self.delta > 1e-15), key=abs
        )[::-1]

    @property
    def first(self) -> str:
        return short(self.along[0], self.domain)

    @property
    def against(self) -> float:
        return math.fsum(self.along) - self.delta

    def leads(self, truth: Truth, name: str, others: str | None = None) -> None:
        """The workspace has the largest part, alone or with so many others."""
        assert math.isclose(self.each[truth.index(name)], self.along[0], abs_tol=1e-12)
        equal = sum(math.isclose(share, self.along[0], abs_tol=1e-12) for share in self.along)
        assert equal == whole(others or "0") + 1


@RESTS.of(r"no single workspace stands out")
def nobody_moved_it(truth: Truth, domain: Domain) -> None:
    assert Shares(truth, domain).first == short(0.0, domain)


@RESTS.of(rf"{NAME} and (?P<others>{NUMBER}) others? account for it equally")
def equally(truth: Truth, domain: Domain, name, others) -> None:
    shares = Shares(truth, domain)
    shares.leads(truth, name, others)
    assert math.isclose(shares.along[0] * (whole(others) + 1), shares.delta)


@RESTS.of(
    rf"{NAME} and (?P<others>{NUMBER}) others? (?P<did>added|took off) most, (?P<part>.+) each"
)
def several_most(truth: Truth, domain: Domain, name, others, did, part) -> None:
    shares = Shares(truth, domain)
    shares.leads(truth, name, others)
    assert (part, did == "added") == (shares.first, shares.delta > 0)


@RESTS.of(rf"{NAME} accounts for all of it")
def all_of_it(truth: Truth, domain: Domain, name) -> None:
    shares = Shares(truth, domain)
    shares.leads(truth, name)
    assert shares.first == short(shares.delta, domain)


@RESTS.of(rf"{NAME} (?P<how>alone accounts for|has the largest part,) (?P<part>.+) of (?:them|it)")
def largest_part(truth: Truth, domain: Domain, name, how, part) -> None:
    shares = Shares(truth, domain)
    shares.leads(truth, name)
    assert part == shares.first
    assert how.startswith("has") or 2 * abs(shares.along[0]) >= abs(shares.delta) * (1 - 1e-9)


@RESTS.of(rf"{NAME} (?P<way>pushed it up|pulled it down) most, others offset most of that")
def mostly_offset(truth: Truth, domain: Domain, name, way) -> None:
    shares = Shares(truth, domain)
    shares.leads(truth, name)
    assert (way == "pushed it up") == (shares.delta > 0)
    assert abs(shares.along[0] - shares.delta) >= abs(shares.along[0]) / 2


@RESTS.of(
    rf"{NAME} (?P<did>alone added|alone took off|added most|took off most)"
    r"(?: (?P<part>[^()]+)| \((?P<first>.+) of (?P<sum>.+)\)), others (?:took|added) back (?P<back>.+)"
)
def partly_offset(truth: Truth, domain: Domain, name, did, part, first, sum, back) -> None:
    shares = Shares(truth, domain)
    shares.leads(truth, name)
    total = short(math.fsum(shares.along), domain)
    assert ("added" in did) == (shares.delta > 0)
    assert (part or first) == shares.first
    assert total == (part or sum)
    assert back == short(shares.against, domain)


@RESTS.of(
    rf"{NAME}(?: is| and (?P<others>{NUMBER}) others? are)(?P<allowing> ranked)? worst \((?P<by>.+)\)"
)
def worst(truth: Truth, domain: Domain, name, others, by, allowing) -> None:
    key = domain.worst_by or domain.headline
    measure = domain.measure(key)
    own = is_worst(truth, domain, name, others, bool(allowing))
    group = truth.worst_group(domain, [own], key)
    value = text_of(truth.shown(domain, key)[own], measure.unit)
    title = measure.title[:1].lower() + measure.title[1:]
    told = f"{title} {value}" if key != domain.headline else value
    assert by == (f"{group} {told}" if group else told)


def is_worst(truth: Truth, domain: Domain, name: str, others: str | None, allowing: bool) -> int:
    """A superlative is so among the figures that are shown, else it says what it allows for."""
    key = domain.worst_by or domain.headline
    measure, own = domain.measure(key), truth.index(name)
    told = {n: bad(measure, value) for n, value in truth.shown(domain, key).items()}
    above = [n for n, worse in told.items() if worse > told[own] + 1e-12]
    equal = [n for n in told if n != own and math.isclose(told[n], told[own], abs_tol=1e-12)]
    assert allowing == bool(above)
    if not allowing:
        assert len(equal) == whole(others or "0")
    assert len(truth.organisation) > 1
    assert not is_best(measure, truth.shown(domain, key)[own])
    return own
