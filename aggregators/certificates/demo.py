"""Certificates of every host, renewals included. Pure."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from aggregators.records.demo import Cause, Row, Rows, Team, Window

ROLES = ("api", "www", "admin", "cdn", "auth", "files", "hooks", "status")
SHORT, YEAR = 90, 365
RENEWED_EARLY, RENEWED_BY_HAND = 35, (4, 20)
"""Days left at a renewal: a robot renews before the last thirty, people when they think of it."""
MANUAL = 0.3
REISSUED = 0.02


@dataclass(frozen=True, slots=True)
class CertificateHabits:
    """Hosts of a team; ``hoard`` gives the days in which certificates that nobody renews expire,
    ``forgotten`` counts those already expired."""

    hosts: int = 16
    hoard: tuple[int, ...] = ()
    forgotten: int = 0


def rows(team: Team, window: Window, rng: random.Random, _causes: list[Cause]) -> Rows:
    """Certificates by table."""
    habits = team.habits_of(CertificateHabits)
    certificates: list[Row] = []
    for n in range(habits.hosts):
        host = f"{ROLES[n % len(ROLES)]}{n // len(ROLES) + 1}.{team.slug}.example"
        chain = _by_hand if rng.random() < MANUAL else _automatic
        certificates += chain(host, window, rng)
    for n, left in enumerate((*habits.hoard, *(-3 - 6 * n for n in range(habits.forgotten)))):
        host = f"device{n + 1:02d}.{team.slug}.example"
        certificates.append(_certificate(host, window, YEAR - left, YEAR, None))
    return {"certificate": certificates}


def _automatic(host: str, window: Window, rng: random.Random) -> Iterator[Row]:
    """Ninety days each, renewed when 35 are left, or revoked where a key was exposed."""
    step = SHORT - RENEWED_EARLY
    age, renewed = rng.randrange(step), None
    while renewed is None or renewed < len(window.days):
        revoked = renewed is not None and rng.random() < REISSUED
        yield _certificate(host, window, age, SHORT, renewed, revoked=revoked)
        age, renewed = age + step, age


def _by_hand(host: str, window: Window, rng: random.Random) -> Iterator[Row]:
    """A year each, renewed days before the end; the newest has more than a month to go."""
    age, renewed = rng.randint(5, YEAR - RENEWED_EARLY), None
    while renewed is None or renewed < len(window.days):
        yield _certificate(host, window, age, YEAR, renewed)
        age, renewed = age + YEAR - rng.randint(*RENEWED_BY_HAND), age


def _certificate(
    host: str,
    window: Window,
    age: int,
    lifetime: int,
    renewed: int | None,
    *,
    revoked: bool = False,
) -> Row:
    """A certificate issued ``age`` days before the last one for ``lifetime`` days; ``renewed``: days before
    the last one at which the next took its place."""
    issued = window.at(window.ago(age), 3)
    replaced = None if renewed is None else window.at(window.ago(renewed), 4)
    serial = hashlib.sha256(f"{host}:{window.ago(age)}".encode()).hexdigest()
    is_device = host.startswith("device")
    return {
        "fingerprint": serial,
        "host": host,
        "port": 8883 if is_device else 443,
        "subject": f"CN={host}",
        "issuer": "CN=Device CA" if is_device else "CN=Example Issuing CA",
        "not_before": issued,
        "not_after": issued + timedelta(days=lifetime),
        "revoked_at": replaced if revoked else None,
        "superseded_at": None if revoked else replaced,
        "first_seen": issued + timedelta(hours=1),
        "last_seen": replaced or window.at(window.last, 22),
    }
