"""Most expiring certificates, on organisations made for each answer."""

from datetime import timedelta

from tests.aggregators.asking import LAST, answer
from tests.world import World, at


def expire(world: World, slug: str, count: int, days: int = 10) -> None:
    rows = [
        {
            "fingerprint": f"{slug}{days}-{i}",
            "host": "",
            "port": 0,
            "not_after": at(LAST + timedelta(days=days)),
        }
        for i in range(count)
    ]
    world.add(world.ids[slug], "certificate", rows)


def test_a_hoarder_holds_eighty_percent_of_at_least_five(world):
    expire(world, "payments", 4)
    expire(world, "search", 1)
    found = answer(world, "expiring_certificates")
    assert found.workspace == "payments"
    assert (
        "Payments holds 4 of the 5 certificates that expire within 30 days (80 %)" in found.sentence
    )
    assert found.href == "/ws/payments/monitor/certs?within=30&status=expiring&period=28"


def test_otherwise_it_is_the_smallest_set_that_holds_eighty_percent(world):
    expire(world, "payments", 6)
    expire(world, "search", 5)
    expire(world, "mobile", 2)
    found = answer(world, "expiring_certificates")
    assert found.sentence == (
        "2 of 3 workspaces hold 85 % of the 13 certificates that expire within 30 days; "
        "Payments has most, 6."
    )


def test_those_who_have_equally_many_have_most_together(world):
    for slug in ("payments", "search", "mobile"):
        expire(world, slug, 2)
    assert answer(world, "expiring_certificates").sentence.endswith(
        "Mobile and 2 others have most, 2 each."
    )


def test_four_certificates_are_too_few_to_speak_of_hoarding(world):
    expire(world, "payments", 3)
    expire(world, "search", 1)
    found = answer(world, "expiring_certificates")
    assert found.sentence == "4 certificates expire within 30 days: Payments 3, Search 1."
    assert "workspaces" not in found.evidence


def test_the_only_certificate_is_named(world):
    """Seen: "1 of 11 workspaces holds 80 % of the 1 certificate"."""
    expire(world, "search", 1)
    sentence = answer(world, "expiring_certificates").sentence
    assert sentence == "The only certificate that expires within 30 days is Search's."


def test_without_any_certificate_nothing_is_promised(world):
    found = answer(world, "expiring_certificates")
    assert (found.found, found.sentence) == (False, "No certificate is on record at that time.")
    assert found.evidence == {}


def test_no_expiring_certificate_is_an_answer(world):
    expire(world, "payments", 3, days=80)
    found = answer(world, "expiring_certificates")
    assert (found.found, found.sentence) == (False, "No certificate expires within 30 days.")
