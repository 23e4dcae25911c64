"""cert-manager against a fake cluster: renewals, deletions, lists that are forgotten, the cluster's CA."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from ingest.pulling import runner, store
from tests.ingest.pulling.real.nginx import signed
from tests.ingest.pulling.senders import described
from tests.ingest.pulling.senders.cert_manager import FakeKubernetes
from tests.ingest.pulling.senders.fake import served

NOW = datetime.now(UTC).replace(microsecond=0)
STATE = "subject, superseded_at is not null"


@pytest.fixture
def cluster():
    with served(FakeKubernetes()) as fake:
        fake.issue("payments", "checkout", 1, NOW - timedelta(days=60))
        fake.issue("payments", "checkout", 2, NOW - timedelta(days=1))
        fake.issue("payments", "ledger", 10, NOW - timedelta(days=30))
        fake.issue("payments", "ledger", 9, NOW - timedelta(days=80))
        fake.issue("search", "index", 1, NOW - timedelta(days=10))
        fake.issue("search", "pod", 1, NOW - timedelta(hours=1), days=1, owned=False)
        yield fake


def connected(installed, cluster, **config):
    return installed.make("cert-manager", cluster.token, address=cluster.base, **config)


def test_the_newest_revision_stands_and_the_one_before_ended_when_it_was_granted(
    installed, cluster
):
    run = installed.sync(connected(installed, cluster))
    assert run.state == "done", run
    assert installed.rows("certificate", STATE) == [
        ("CN=checkout.example", False),
        ("CN=checkout.example", True),
        ("CN=index.example", False),
        ("CN=ledger.example", False),
        ("CN=ledger.example", True),
    ]
    ended = installed.rows("certificate", "superseded_at")
    assert (NOW - timedelta(days=1),) in ended
    assert (NOW - timedelta(days=30),) in ended
    assert not [path for path in cluster.asked if "secret" in path]


def test_a_renewal_whose_request_is_gone_meanwhile_ends_the_one_before(installed, cluster):
    source = connected(installed, cluster)
    installed.sync(source)
    del cluster.requests["search", "index-1"]
    cluster.issue("search", "index", 2, NOW - timedelta(minutes=5))
    installed.sync(source)
    index = [r for r in installed.rows("certificate", STATE) if "index" in r[0]]
    assert index == [("CN=index.example", False), ("CN=index.example", True)]


def test_a_certificate_that_was_deleted_ends_and_one_without_its_request_stays(installed, cluster):
    source = connected(installed, cluster)
    installed.sync(source)
    del cluster.certificates["payments", "ledger"]
    del cluster.requests["search", "index-1"]
    run = installed.sync(source)
    assert "search: 1 certificates have no request that was granted." in run.message
    standing = [r[0] for r in installed.rows("certificate", STATE) if not r[1]]
    assert standing == ["CN=checkout.example", "CN=index.example"]
    installed.sync(source)
    assert [r[0] for r in installed.rows("certificate", STATE) if not r[1]] == standing


def test_a_namespace_that_lost_its_last_certificate_has_none(installed, cluster):
    source = connected(installed, cluster)
    installed.sync(source)
    del cluster.certificates["search", "index"]
    del cluster.requests["search", "index-1"]
    installed.sync(source)
    assert ("CN=index.example", True) in installed.rows("certificate", STATE)


def test_a_list_in_pages_that_the_cluster_forgets_is_begun_again(installed, cluster):
    cluster.largest, cluster.forgets = 2, 1
    assert installed.sync(connected(installed, cluster)).state == "done"
    assert len(installed.rows("certificate", "fingerprint")) == 5
    cluster.forgets = 99
    run = installed.sync(connected(installed, cluster))
    assert (run.state, run.error_code) == ("failed", "unreachable")
    standing = [r for r in installed.rows("certificate", STATE) if not r[1]]
    assert len(standing) == 3, "a list that was cut short ends nothing"


def test_a_namespace_that_may_not_be_read_stops_none_of_the_others(installed, cluster):
    cluster.hidden = frozenset({"payments"})
    run = installed.sync(connected(installed, cluster))
    assert run.state == "done"
    assert "payments: The secret lacks a permission" in run.message
    assert installed.rows("certificate", STATE) == [("CN=index.example", False)]


def test_one_namespace_alone_is_asked_for(installed, cluster):
    installed.sync(connected(installed, cluster, namespace="search"))
    assert all("/namespaces/search/" in path for path in cluster.asked)
    assert installed.rows("certificate", STATE) == [("CN=index.example", False)]


def test_the_organisations_source_feeds_each_namespace_into_its_workspace(installed, cluster):
    installed.world.member(installed.admin, installed.world.beta, "platform_admin")
    source = installed.make("cert-manager", cluster.token, None, address=cluster.base)
    rules = [("pay*", installed.world.alpha), ("search", installed.world.beta)]
    store.set_rules(installed.context.database.job, source, rules, installed.admin.email)
    assert installed.sync(source).state == "done"
    assert len(installed.rows("certificate", "fingerprint", "alpha")) == 4
    assert len(installed.rows("certificate", "fingerprint", "beta")) == 1


@pytest.mark.parametrize(
    ("secret", "words"),
    [("apiVersion: v1\nusers:\n- user: {exec: {command: rm}}\n", "no kubeconfig"), ("x", "secret")],
)
def test_a_kubeconfig_and_a_wrong_token_are_refused(installed, cluster, secret, words):
    run = installed.sync(installed.make("cert-manager", secret, address=cluster.base))
    assert run.state == "failed"
    assert words in run.message


def test_the_clusters_own_authority_is_trusted_and_nothing_else(installed, tmp_path):
    authority = signed(tmp_path, "authority", "Cluster", None, 900)
    signed(tmp_path, "server", "localhost", authority, 60)
    signed(tmp_path, "stranger", "Stranger", None, 900)
    with served(FakeKubernetes(), tmp_path / "server.pem") as cluster:
        cluster.issue("payments", "checkout", 1, NOW)
        config = {"address": cluster.base}
        pem = (tmp_path / "authority.pem").read_text()
        in_kubeconfig = base64.b64encode(pem.encode()).decode()
        strange = (tmp_path / "stranger.pem").read_text()
        told = {
            told: installed.sync(
                installed.make("cert-manager", cluster.token, **config, authority=told)
            ).error_code
            for told in ("", pem, in_kubeconfig, strange, "no authority!", "bm9uZQ==")
        }
    assert told == {
        "": "tls_untrusted", pem: "", in_kubeconfig: "", strange: "tls_untrusted",
        "no authority!": "setting", "bm9uZQ==": "setting",
    }  # fmt: skip


def test_the_test_asks_what_the_sync_asks(installed, cluster):
    source = installed.source(connected(installed, cluster))
    told, found = runner.try_source(runner.open_pull(installed.context, source), source.kind)
    assert told == ["3 certificates in 2 namespaces.", "Certificate requests can be read."]
    assert [(f.name, f.recent) for f in found] == [("payments", 2), ("search", 1)]


def test_cert_managers_own_definitions_hold_the_fake(installed, cluster):
    cluster.exchanges = []
    installed.sync(connected(installed, cluster))
    assert {e.document["kind"] for e in cluster.exchanges} == {
        "CertificateList",
        "CertificateRequestList",
    }
    for exchange in cluster.exchanges:
        assert described.wrong_in_list(exchange.document) == []
    lie = cluster.exchanges[-1].document
    lie["items"][0]["status"]["conditions"][0]["status"] = "Maybe"
    assert described.wrong_in_list(lie)
