"""Answers that are not what they say: told as such, never as a failure of the program, nor guessed."""

from __future__ import annotations

import gzip
import logging
from datetime import UTC, datetime, timedelta

import pytest

from ingest.pulling import runner
from ingest.pulling.problems import SourceProblem
from tests.deep import DEEP, all_but
from tests.ingest.pulling.attacks.test_endless import github, gitlab
from tests.ingest.pulling.senders.cert_manager import FakeKubernetes
from tests.ingest.pulling.senders.fake import Fake, Reply, served
from tests.ingest.pulling.senders.pagerduty import FakePagerDuty
from tests.ingest.pulling.senders.statuspage import FakeStatuspage
from tests.ingest.pulling.test_pagerduty import incident

NOW = datetime.now(UTC).replace(microsecond=0)
BEFORE = 4 if DEEP else 1
HTML = b"<!doctype html><html><title>Sign in</title><form action=/login></form></html>"
BOMB = gzip.compress(b" " * (40 * 1024 * 1024))
BODIES = {
    "a page to sign in": Reply(200, headers={"Content-Type": "text/html"}, body=HTML),
    "nothing at all": Reply(200, body=b""),
    "no content": Reply(204, body=b""),
    "null": Reply(200, body=b"null"),
    "a number": Reply(200, body=b"42"),
    "a sentence": Reply(200, body=b'"maintenance"'),
    "an error in a good answer": Reply(200, body=b'{"error": "maintenance", "message": "later"}'),
    "a list of nothings": Reply(200, body=b"[null, null]"),
    "a list of lists": Reply(200, body=b"[[], [1]]"),
    "a list of objects that are empty": Reply(200, body=b"[{}, {}]"),
    "lists of lists without end": Reply(200, body=b"[" * 200_000),
    "a bomb": Reply(200, headers={"Content-Encoding": "gzip"}, body=BOMB),
    "half a document": Reply(200, body=b'{"data": {"repository": {"deployments": {"nodes": ['),
    "bytes of no text": Reply(200, body=b'{"a": "\xff\xfe\xc3("}'),
    "gzip that is none": Reply(200, headers={"Content-Encoding": "gzip"}, body=HTML),
    "not a number": Reply(200, body=b'{"data": NaN}'),
}


def pagerduty():
    fake = FakePagerDuty()
    fake.services = [{"id": "P1", "name": "payments"}]
    fake.incidents["Q1"] = incident("Q1", NOW - timedelta(hours=3))
    return fake, {}


def statuspage():
    fake = FakeStatuspage()
    fake.report("i1", NOW - timedelta(hours=3), NOW)
    return fake, {"page": "kctbh9vrtdwd"}


def cluster():
    fake = FakeKubernetes()
    fake.issue("payments", "checkout", 1, NOW - timedelta(days=60))
    return fake, {}


class Prometheus(Fake):
    """Answers one question."""

    def authorised(self, headers):
        return True

    def get(self, path, query, headers):
        data = {"resultType": "matrix", "result": []}
        return Reply(200, {"status": "success", "data": data})


SENDERS = {
    "github": github, "gitlab": gitlab, "pagerduty": pagerduty, "statuspage": statuspage,
    "cert-manager": cluster, "prometheus": lambda: (Prometheus(), {}),
}  # fmt: skip


@pytest.mark.parametrize("kind", all_but(["github", "prometheus"], SENDERS))
def test_no_answer_is_a_failure_of_the_program(installed, kind, caplog):
    """Each of them as the second answer of a sync; the list of parts is the first."""
    caplog.set_level(logging.ERROR, "vigilo.sources")
    wrong = []
    for name, reply in BODIES.items():
        for before in range(1, 1 + BEFORE):
            fake, config = SENDERS[kind]()
            with served(fake):
                fake.faults = [*[None] * before, *[reply] * 8]
                source = installed.make(kind, fake.token, address=fake.base, **config)
                run = installed.sync(source)
            if run.error_code == "internal" or caplog.records:
                wrong.append((name, before, run.message, [r.exc_info for r in caplog.records]))
            caplog.clear()
    assert wrong == []


@pytest.mark.parametrize("kind", all_but(["github"], SENDERS))
def test_a_test_says_it_as_well(installed, kind):
    wrong = []
    for name, reply in BODIES.items():
        fake, config = SENDERS[kind]()
        with served(fake):
            fake.faults = [reply] * 8
            draft = runner.draft(
                installed.context, kind, {**config, "address": fake.base}, fake.token
            )
            try:
                runner.try_source(draft, kind)
            except SourceProblem as problem:
                if not str(problem).strip():
                    wrong.append((name, "says nothing"))
            except Exception as error:  # noqa: BLE001 - whatever else comes is wrong
                wrong.append((name, repr(error)))
    assert wrong == []
