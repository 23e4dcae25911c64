"""Sentences that answer the page's questions."""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import pairwise

from aggregators.pooling.plan import SPRINTS
from aggregators.vocabulary import formats
from aggregators.vocabulary.period import Compare, Span, completed_sprints
from tests.plain import control_rules
from tests.plain.records import end_of
from tests.sentences.kinds import DAY, NAME, NUMBER, PERCENT, SentenceKinds, whole
from tests.sentences.truth import FRAMEWORKS, Truth

ANSWERS = SentenceKinds()
RATE = "change_failure_rate"
PLAIN = PERCENT.removesuffix(" %")
AS_OF = rf"(?:As of (?P<day>{DAY}): )?"
SPRINT_DAYS, ENOUGH, RISE = 14, 3, 1.05


def is_dated(truth: Truth, day: str | None) -> None:
    """A sentence about how things stand has its day where the period ended before the newest figures."""
    past = truth.period.end < truth.as_of
    assert day == (formats.day(truth.period.end) if past else None)


@ANSWERS.of(r"No snapshot was made in this period or before it\.")
def never_looked(truth: Truth) -> None:
    assert truth.days_seen == 0
    assert truth.last_day is None


@ANSWERS.of(rf"No snapshot was made in this period; the last one before it is of (?P<day>{DAY})\.")
def not_looked(truth: Truth, day: str) -> None:
    assert truth.days_seen == 0
    assert day == formats.day(truth.last_day)


# Change failure rate


def rates(truth: Truth) -> dict[int, tuple[int, int]]:
    """Failed and ended deployments of each workspace that ended any."""
    told = {n: truth.change(RATE, [n]).now for n in truth.everybody}
    return {n: (e.numerator, e.denominator) for n, e in told.items() if e.denominator}


@ANSWERS.of(r"No workspace ended a production deployment in this period\.")
def nobody_deployed(truth: Truth) -> None:
    assert truth.days_seen > 0
    assert rates(truth) == {}


@ANSWERS.of(
    rf"None of (?P<ended>{NUMBER}) production deployments? failed, in (?P<judged>{NUMBER}) workspaces?\."
)
def nobody_failed(truth: Truth, ended: str, judged: str) -> None:
    told = rates(truth)
    assert sum(failed for failed, _ in told.values()) == 0
    assert (whole(ended), whole(judged)) == (sum(n for _, n in told.values()), len(told))


@ANSWERS.of(
    rf"{NAME}(?P<alone> alone ended deployments| and (?P<others>{NUMBER}) others?)?: (?P<rate>{PERCENT}),"
    rf" (?P<failed>{NUMBER}) of (?P<ended>{NUMBER}) deployments?"
    rf" \(95 % interval (?P<low>{PLAIN}) to (?P<high>{PERCENT})\)"
    r"(?:, (?P<moved>[^,]+?)(?P<elsewhere> on the period before)?(?:, (?P<word>[a-z ]+))?)?\."
    rf"(?: (?P<above>{NUMBER}) other rates? (?:is|are) higher\.)?"
)
def worst_rate(
    truth: Truth, name, alone, others, rate, failed, ended, low, high, moved, elsewhere, word, above
) -> None:
    told = rates(truth)
    own = truth.index(name)
    x, n = told[own]
    assert (whole(failed), whole(ended), rate) == (x, n, formats.percent(x / n))
    assert (f"{low} %", high) == interval(x, n)
    change = truth.change(RATE, [own])
    assert moved == (None if change.delta is None else moved_by(change.delta))
    is_elsewhere = truth.period.compare is not Compare.PREVIOUS
    assert bool(elsewhere) == bool(moved and is_elsewhere)
    assert bool(word) == bool(moved and moved != "no change")
    if word and word not in ("within noise", "too few to tell"):
        assert word.endswith("worse" if change.delta > 0 else "better")
    higher = [i for i, (y, m) in told.items() if y * n > x * m]
    equal = [i for i, (y, m) in told.items() if y * n == x * m and i != own]
    assert (len(told) == 1) == bool(alone and not others)
    assert len(higher) == whole(above or "0")
    if not above:
        assert len(equal) == whole(others or "0")
    pooled = sum(y for y, _ in told.values()) / sum(m for _, m in told.values())
    for i in higher if x / n >= pooled else ():
        assert told[i][1] < n, "one that shows more on as much should stand before"


def interval(x: int, n: int) -> tuple[str, str]:
    """The Wilson interval as the two roots of (p - x/n)^2 = z^2 p (1 - p) / n."""
    z2 = 1.959963984540054**2
    a, b, c = 1 + z2 / n, -(2 * x / n + z2 / n), (x / n) ** 2
    root = math.sqrt(max(b * b - 4 * a * c, 0.0))
    return tuple(formats.percent(min(max((-b + s * root) / (2 * a), 0), 1)) for s in (-1, 1))


def moved_by(delta: float) -> str:
    points = formats.number(delta * 100, 1)
    if points == "0.0":
        return "no change"
    return f"{'+' if delta > 0 else ''}{points} pts"


# Controls


def lapsed(truth: Truth) -> list[tuple[int, str, str]]:
    """Controls recorded as compliant whose evidence is out, by workspace, framework and name."""
    return sorted(
        (n, row["framework"], row["control"])
        for n, row, end in passing(truth)
        if row["valid_until"] and row["valid_until"] <= end
    )


def passing(truth: Truth):
    """Compliant controls of each workspace as its last snapshot in the period had them."""
    for n in truth.everybody:
        oracle = truth.oracle([n], truth.period.span)
        records = truth.organisation[n]
        days = [d for d in records.days if oracle.start <= d <= oracle.end]
        if not days:
            continue
        end = end_of(max(days), truth.zone)
        rows = control_rules.worst_results(records.control_result, records.asset_retirement, end)
        yield from ((n, row, end) for row in rows if row["result"] == "compliant")


def due(truth: Truth) -> dict[tuple[int, str, str], int]:
    """Days to the lapse of each passing control whose evidence ends later."""
    return {
        (n, row["framework"], row["control"]): (
            row["valid_until"].astimezone(truth.zone).date()
            - (end - timedelta(hours=1)).astimezone(truth.zone).date()
        ).days
        for n, row, end in passing(truth)
        if row["valid_until"] and row["valid_until"] > end
    }


OUT = (
    r"(?P<any_out> Already out: (?:(?P<out>[\d,]+), e\.g\. )?(?P<framework_out>\w+)"
    r" (?P<control_out>\w+) in (?P<name_out>Team \d+)\.)?"
)


def is_out(truth: Truth, any_out, out, framework_out, control_out, name_out) -> None:
    told = lapsed(truth)
    assert len(told) == whole(out or "1" if any_out else "0")
    assert out != "1"
    if any_out:
        own = (truth.index(name_out), framework_out)
        assert (*own, control_out) in told
        counts = {key[:2]: sum(k[:2] == key[:2] for k in told) for key in told}
        assert counts[own] == max(counts.values())


@ANSWERS.of(
    rf"{AS_OF}{NAME}: (?P<framework>\w+) (?P<control>\w+) lapses in (?P<days>{NUMBER}) days?"
    rf"(?: \(seen (?P<snapshot>{DAY})\))?"
    rf"(?:; (?P<soon>{NUMBER}) (?P<whose>\w+) controls within 30)?\.{OUT}"
)
def next_lapse(
    truth: Truth, day, name, framework, control, days, snapshot, soon, whose, **out
) -> None:
    is_dated(truth, day)
    told, own = due(truth), truth.index(name)
    assert told[own, framework, control] == whole(days) == min(told.values())
    within = sum(1 for (n, f, _), left in told.items() if (n, f) == (own, framework) and left <= 30)
    assert (soon is None and within <= 1) or (whole(soon) == within and whose == framework)
    last = max(d for d in truth.organisation[own].days if d <= truth.period.end)
    late = last < min(truth.period.end, truth.as_of)
    assert snapshot == (formats.day(last) if late else None)
    is_out(truth, **out)


NO_DATES = "No passing control has a date ahead on which its evidence ends"


@ANSWERS.of(rf"{AS_OF}{NO_DATES}, and no pass rate is falling\.{OUT}")
def no_lapse(truth: Truth, day, **out) -> None:
    is_dated(truth, day)
    assert due(truth) == {}
    is_out(truth, **out)


@ANSWERS.of(
    rf"{AS_OF}Projection without dates: {NAME}'s (?P<framework>\w+) pass rate"
    rf" falls from (?P<now>{PERCENT}) to (?P<then>{PERCENT}) in 30 days\.{OUT}"
)
def projected(truth: Truth, day, name, framework, now, then, **out) -> None:
    is_dated(truth, day)
    assert due(truth) == {}
    assert now != then
    known = [(d, rate) for d, rate in pass_rates(truth, truth.index(name), framework)]
    slopes = sorted(
        (b - a) / (e - d).days for i, (d, a) in enumerate(known) for e, b in known[i + 1 :]
    )
    half = len(slopes) // 2
    slope = slopes[half] if len(slopes) % 2 else (slopes[half - 1] + slopes[half]) / 2
    assert now == formats.percent(known[-1][1])
    assert then == formats.percent(max(0.0, known[-1][1] + 30 * slope))
    is_out(truth, **out)


def pass_rates(truth: Truth, own: int, framework: str):
    """The pass rate on each of the last 28 days that has a snapshot."""
    for back in reversed(range(28)):
        day = truth.period.end - timedelta(days=back)
        rate = truth.oracle([own], Span(day, day)).pass_rate(framework).value
        if rate is not None:
            yield day, rate


@ANSWERS.of(r"No workspace in scope has set up a compliance framework\.")
def no_framework(truth: Truth) -> None:
    assert truth.days_seen > 0
    for framework in FRAMEWORKS:
        assert truth.change("pass_rate", truth.everybody, framework).now.value is None


# Certificates


def expiring(truth: Truth) -> dict[int, int]:
    told = {n: truth.change("within_30", [n]).now.value for n in truth.everybody}
    return {n: count for n, count in told.items() if count is not None}


@ANSWERS.of(r"No certificate is on record at that time\.")
def no_certificate(truth: Truth) -> None:
    assert truth.days_seen > 0
    assert expiring(truth) == {}


@ANSWERS.of(rf"{AS_OF}No certificate expires within 30 days\.")
def nothing_expires(truth: Truth, day) -> None:
    is_dated(truth, day)
    assert set(expiring(truth).values()) == {0}


@ANSWERS.of(rf"{AS_OF}The only certificate that expires within 30 days is {NAME}'s\.")
def only_one_expires(truth: Truth, day, name) -> None:
    is_dated(truth, day)
    told = expiring(truth)
    assert sum(told.values()) == told[truth.index(name)] == 1


@ANSWERS.of(
    rf"{AS_OF}(?P<total>[2-4]) certificates expire within 30 days: "
    r"(?P<shares>Team \d+ \d(?:, Team \d+ \d)*)\."
)
def few_expire(truth: Truth, day, total, shares) -> None:
    is_dated(truth, day)
    told = {n: count for n, count in expiring(truth).items() if count}
    assert sum(told.values()) == whole(total)
    each = [share.rpartition(" ") for share in shares.split(", ")]
    assert {truth.index(name): int(count) for name, _, count in each} == told
    assert len(each) == len(told)


@ANSWERS.of(
    rf"{AS_OF}{NAME} holds (?P<most>{NUMBER}) of the (?P<total>{NUMBER}) certificates that expire within"
    rf" 30 days \((?P<share>{PERCENT})\)\."
)
def hoarded(truth: Truth, day, name, most, total, share) -> None:
    is_dated(truth, day)
    told = expiring(truth)
    own = told[truth.index(name)]
    assert (own, sum(told.values())) == (whole(most), whole(total))
    assert whole(total) >= 5
    assert own >= 0.8 * whole(total)
    assert share == formats.percent(own / whole(total), 0)


@ANSWERS.of(
    rf"{AS_OF}(?P<few>{NUMBER}) of (?P<of>{NUMBER}) workspaces? hold (?P<share>{PERCENT}) of the"
    rf" (?P<total>{NUMBER}) certificates that expire within 30 days; {NAME}"
    rf"(?: has most|(?: and (?P<others>{NUMBER}) others?) have most), (?P<most>{NUMBER})(?P<each> each)?\."
)
def spread(truth: Truth, day, few, of, share, total, name, others, most, each) -> None:
    is_dated(truth, day)
    told = expiring(truth)
    counts = sorted(told.values(), reverse=True)
    assert (whole(of), whole(total)) == (len(truth.organisation), sum(counts))
    held = sum(counts[: whole(few)])
    assert held >= 0.8 * whole(total) > sum(counts[: whole(few) - 1])
    assert share == formats.percent(held / whole(total), 0)
    assert told[truth.index(name)] == counts[0] == whole(most)
    assert counts.count(counts[0]) == whole(others or "0") + 1
    assert bool(each) == bool(others)


# Sprints

SPRINTS_TOLD = r"sprints (?P<sprints>[^;)]+)"


def sprints(truth: Truth) -> list[Span]:
    return completed_sprints(SPRINT_DAYS, min(truth.period.end, truth.as_of), SPRINTS)


def mttr(truth: Truth) -> dict[int, list[float]]:
    """MTTR by sprint of each workspace that resolved enough in all of them."""
    told = {}
    for n in truth.everybody:
        each = [truth.oracle([n], span).mean("resolved_at") for span in sprints(truth)]
        if all((e.denominator or 0) >= ENOUGH for e in each):
            told[n] = [e.value for e in each]
    return told


def climbs(means: list[float]) -> bool:
    return means[0] > 0 and all(b >= a * RISE for a, b in pairwise(means))


def when(truth: Truth) -> str:
    chosen = sprints(truth)
    assert chosen[-1].end <= truth.period.end
    return formats.span(Span(chosen[0].start, chosen[-1].end))


@ANSWERS.of(
    rf"No MTTR rose three sprints in a row \({SPRINTS_TOLD}; (?P<judged>{NUMBER}) workspaces? with enough"
    r" resolved incidents\)\."
)
def no_climb(truth: Truth, sprints, judged) -> None:
    told = mttr(truth)
    assert (sprints, whole(judged)) == (when(truth), len(told))
    assert not any(map(climbs, told.values()))


@ANSWERS.of(
    rf"{NAME}'s MTTR rose three sprints in a row: (?P<path>.+) \({SPRINTS_TOLD}\)\."
    rf"(?: (?P<others>{NUMBER}) others? too\.)?"
)
def climb(truth: Truth, name, path, sprints, others) -> None:
    told = {n: means for n, means in mttr(truth).items() if climbs(means)}
    own = told[truth.index(name)]
    assert path == " → ".join(map(formats.duration, own))
    assert sprints == when(truth)
    assert len(told) == 1 + whole(others or "0")
    assert own[-1] / own[0] >= max(m[-1] / m[0] for m in told.values()) * (1 - 1e-9)


# Evidence, as the API and "Why" tell it


def check_evidence(truth: Truth, key: str, found: bool, evidence: dict) -> None:
    """The numbers beside a sentence. Raises AssertionError."""
    if key == "worst_change_failure_rate" and evidence:
        told = rates(truth)
        assert evidence["judged"] == len(told)
        if found:
            rate = evidence["failed"] / evidence["deployments"]
            assert evidence["above"] == sum(x / n > rate for x, n in told.values())
    if key == "closest_to_lapse" and evidence:
        counts = sum(out["controls"] for out in evidence["already_out"]) if not found else 0
        assert found or counts == len(lapsed(truth))
    if key == "expiring_certificates" and evidence:
        told = expiring(truth)
        assert evidence["total"] == sum(told.values())
        if found:
            assert evidence["held"] == max(told.values())
    if key == "mttr_climbing":
        assert evidence["judged"] == len(mttr(truth))
