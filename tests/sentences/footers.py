"""Small print: footers of tiles, notes of the pack's pages, why there is nothing, mails."""

from __future__ import annotations

from aggregators.catalogue import DOMAINS
from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from tests.sentences.answers import never_looked, not_looked
from tests.sentences.kinds import DAY, NAME, NUMBER, PERCENT, SentenceKinds, whole
from tests.sentences.titles import headline, is_worst, size, text_of
from tests.sentences.truth import Truth, bad, is_best

TILES, NOTES, MAILS = SentenceKinds(), SentenceKinds(), SentenceKinds()

TILES.of(r"No snapshot was made in this period or before it\.")(
    lambda truth, domain: never_looked(truth)
)
TILES.of(rf"No snapshot was made in this period; the last one before it is of (?P<day>{DAY})\.")(
    lambda truth, domain, day: not_looked(truth, day)
)


NOT_SET_UP = "|".join(d.empty for d in DOMAINS).replace(".", r"\.")


@TILES.of(rf"(?:{NOT_SET_UP})(?P<about> Compliance frameworks)?")
def not_set_up(truth: Truth, domain: Domain, about: str | None) -> None:
    """A day was looked at, and nothing of the domain was there."""
    assert truth.days_seen > 0
    assert truth.worst_group(domain, truth.everybody, domain.headline) is None
    assert bool(about) == bool(domain.by)


@TILES.of(r"No workspace stands out\.")
def nobody_stands_out(truth: Truth, domain: Domain) -> None:
    measure = domain.measure(domain.worst_by or domain.headline)
    assert all(is_best(measure, value) for value in truth.shown(domain, measure.key).values())


@TILES.of(
    r"(?P<label>Worst|Fastest burn|Only workspace|(?P<allowing>Ranked) worst)"
    rf"(?:, with (?P<others>[\d,]+) others?)?: {NAME} (?P<value>.+)"
)
def footer(truth: Truth, domain: Domain, label, others, allowing, name, value) -> None:
    key = domain.worst_by or domain.headline
    if label == "Only workspace":
        assert len(truth.organisation) == 1
        own = truth.index(name)
    else:
        own = is_worst(truth, domain, name, others, bool(allowing))
    group = truth.worst_group(domain, [own], key)
    text = text_of(truth.shown(domain, key)[own], domain.measure(key).unit)
    assert value == (f"{group} {text}" if group else text)


@TILES.of(rf"(?P<count>{NUMBER}) workspaces? (?P<way>rose|dropped) by (?P<many>up to )?(?P<by>.+)")
def hidden(truth: Truth, domain: Domain, count, way, many, by) -> None:
    measure, worse = domain.measure(domain.headline), {}
    for n in truth.everybody:
        changes = [truth.change(measure.key, [n], g).delta for g in truth.groups(domain)]
        told = [bad(measure, delta) for delta in changes if delta is not None]
        if told and max(told) > (domain.drop_alert or 0.0) + 1e-9:
            worse[n] = max(told)
    if measure.prior:  # only some are worse beyond chance
        assert whole(count) <= len(worse)
        assert by in {size(change, domain) for change in worse.values()}
        return
    assert (len(worse), len(worse) > 1) == (whole(count), bool(many))
    assert by == size(max(worse.values()), domain)
    _, change = headline(truth, domain)
    assert bad(measure, change.delta or 0.0) < max(worse.values())


@NOTES.of(
    rf"(?:(?P<part>{NUMBER}) of (?P<whole_>{NUMBER}) · )?(?P<seen>\d+) of (?P<days>\d+) days seen"
    r"(?P<low> · low sample)?"
)
def sample(truth: Truth, domain: Domain, part, whole_, seen, days, low) -> None:
    _, change = headline(truth, domain)
    assert whole(days) == truth.period.days
    if part is not None:
        assert (whole(part), whole(whole_)) == (change.now.numerator, change.now.denominator)
        assert bool(low) == (
            0 < change.now.denominator < domain.measure(domain.headline).low_sample_below
        )
    if change.now.value is not None:
        assert whole(seen) == truth.days_seen


@NOTES.of(r"Benchmark band: (?P<band>.+); never used for the status")
def band(truth: Truth, domain: Domain, band) -> None:
    measure = domain.measure(domain.headline)
    _, change = headline(truth, domain)
    within = [b.name for b in measure.bands if change.now.value <= b.limit]
    assert band == within[0]


@NOTES.of(rf"Oldest snapshot among the workspaces: (?P<day>{DAY})")
def oldest(truth: Truth, domain: Domain, day) -> None:
    last = [max(records.days) for records in truth.organisation if records.days]
    assert day == formats.day(min(last))


@NOTES.of(rf"(?P<count>{NUMBER}) workspaces? without data for .+")
def silent(truth: Truth, domain: Domain, count) -> None:
    assert whole(count) == len(truth.organisation) - len(truth.shown(domain, domain.headline))


@NOTES.of(rf"\* (?P<count>{NUMBER}) workspaces? with few events; the order allows for that")
def few(truth: Truth, domain: Domain, count) -> None:
    low = domain.measure(domain.headline).low_sample_below
    told = [truth.change(domain.headline, [n]).now.denominator for n in truth.everybody]
    assert whole(count) == sum(bool(n) and 0 < n < low for n in told)


@MAILS.of(r"Northwind Group: your export of (?P<start>\S+) to (?P<end>\S+) is ready")
def subject(truth: Truth, start, end) -> None:
    assert (start, end) == (str(truth.period.start), str(truth.period.end))


@MAILS.of(
    rf"The PDF export of Northwind Group for (?P<start>\S+) to (?P<end>\S+) is ready"
    rf" \((?P<count>{NUMBER}) workspaces?\)\."
)
def ready(truth: Truth, start, end, count) -> None:
    subject(truth, start, end)
    assert whole(count) == len(truth.organisation)


@MAILS.of(
    r"It can be downloaded for \d+ hours by you alone, after signing in:"
    r"|All of your exports are listed on the page Your exports\."
)
def how_to_get_it(truth: Truth) -> None:
    """Says no figure."""


PAGES = SentenceKinds()
"""Why a workspace's own page has no headline; the truth is of that workspace alone."""

PAGES.of(r"No snapshot was made in this period or before it\.")(
    lambda truth, domain: never_looked(truth)
)
PAGES.of(rf"No snapshot was made in this period; the last one before it is of (?P<day>{DAY})\.")(
    lambda truth, domain, day: not_looked(truth, day)
)


@PAGES.of(
    "|".join(d.empty.replace("No workspace in scope has", r"Team \d+ has not") for d in DOMAINS)
)
def own_not_set_up(truth: Truth, domain: Domain) -> None:
    """A day was looked at, and the workspace had nothing of the domain up to then."""
    assert truth.days_seen > 0
    assert truth.worst_group(domain, [0], domain.headline) is None
    if domain.key == "dora":
        told = truth.organisation[0].deployment
        completed = [row["completed_at"] for row in told if row["left_out"] is None]
        assert all(at.astimezone(truth.zone).date() > truth.last_day for at in completed)


@PAGES.of(r"No data for “(?P<title>.+)” in this period\.")
def own_nothing_counted(truth: Truth, domain: Domain, title) -> None:
    assert title == domain.measure(domain.headline).title
    assert truth.worst_group(domain, [0], domain.headline) is None


RANKED = SentenceKinds()


@RANKED.of(
    rf"ranked as about (?P<about>.+) after shrinking \((?P<part>{NUMBER}) of (?P<whole_>{NUMBER})\)"
)
def after_shrinking(truth: Truth, domain: Domain, name: str, about, part, whole_) -> None:
    """A value between the workspace's own rate and what the others make likely, and its evidence."""
    now = truth.change(domain.headline, [truth.index(name)]).now
    assert (whole(part), whole(whole_)) == (now.numerator, now.denominator)
    assert 0.0 <= float(about.removesuffix(" %")) <= 100.0


CARDS = SentenceKinds()


@CARDS.of(rf"(?P<part>{NUMBER}) of (?P<whole_>{NUMBER})")
def evidence(truth: Truth, domain: Domain, name: str, part, whole_) -> None:
    own = truth.index(name)
    group = truth.worst_group(domain, [own], domain.headline) or ""
    now = truth.change(domain.headline, [own], group).now
    assert (whole(part), whole(whole_)) == (now.numerator, now.denominator)


@CARDS.of(r"(?P<seen>\d+) of (?P<days>\d+) days")
def days(truth: Truth, domain: Domain, name: str, seen, days) -> None:
    oracle = truth.oracle([truth.index(name)], truth.period.span)
    assert (whole(seen), whole(days)) == (oracle.days_seen(), truth.period.days)


@CARDS.of(r"part (?P<share>.+)")
def part(truth: Truth, domain: Domain, name: str, share) -> None:
    group, change = headline(truth, domain)
    own = truth.shares(domain.headline, group or "")[truth.index(name)]
    assert share == formats.shift(own, domain.measure(domain.headline).unit, change.now.value)


@CARDS.of(r"No snapshot in this period\.")
def card_never_looked(truth: Truth, domain: Domain, name: str) -> None:
    assert truth.oracle([truth.index(name)], truth.period.span).days_seen() == 0


@CARDS.of(rf"before (?P<before>{PERCENT}|{NUMBER}|–)|no earlier data")
def before(truth: Truth, domain: Domain, name: str, before) -> None:
    own, measure = truth.index(name), domain.measure(domain.headline)
    change = truth.change(measure.key, [own])
    assert (before is not None) == change.comparable
    if before:
        assert before == text_of(change.before.value, measure.unit)
