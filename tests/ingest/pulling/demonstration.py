"""The sources against the tests' senders, to be looked at: ``make demo-sources``.

Starts fakes of GitHub, GitLab, PagerDuty and a Kubernetes with cert-manager with half a year of history, a
real Prometheus with three weeks of it, a real Alertmanager, a real nginx that serves certificates, and a
folder of files; makes three workspaces and an account, connects the sources, and serves.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click

from app import create_app
from auth import accounts
from ingest.importer import load as load_records
from ingest.kinds import KINDS
from ingest.pulling import store
from ingest.pulling.runner import SourceContext
from ingest.pulling.store import NewSource
from settings import load
from storage.viewer import Viewer
from tests.ingest.pulling.real import alertmanager, nginx
from tests.ingest.pulling.senders import histories, prometheus
from tests.ingest.pulling.senders.fake import Fake, served
from web.first_run import steps
from web.server.serving import Stopped, end, run
from web.server.startup import announce, prepare, start

EMAIL, PASSWORD = "ada@northwind.example", "a-demo-password"
FIRED = ((9 * 86_400, 9 * 86_400 - 2_700), (2 * 86_400, 2 * 86_400 - 900))
"""Seconds ago at which the alert began to fire and fired last."""


class Senders(NamedTuple):
    """Everything that is asked."""

    hub: Fake
    lab: Fake
    duty: Fake
    cluster: Fake
    prometheus: str
    alertmanager: str
    tls: nginx.Nginx


def main() -> None:
    """Serves until it is stopped."""
    settings = load(demo=False, source_allow=("127.0.0.0/8",), org_name="Northwind Group")
    with suppress(Stopped), ExitStack() as stack:
        senders = _begun(stack)
        application = create_app(settings)
        prepare(application.installation)
        context = SourceContext(application.installation.database, settings)
        if store.list_sources(context.database.job, [], organisation=True) == []:
            _connect(context, senders)
        start(application)
        run(application, settings, partial(announce, application.installation), reloads=False)
    end(settings)


def _begun(stack: ExitStack) -> Senders:
    folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(3)]
    fakes = (histories.github(), histories.gitlab(), histories.pagerduty(), histories.kubernetes())
    hub, lab, duty, cluster = (stack.enter_context(served(fake)) for fake in fakes)
    real = prometheus.alerting(folders[0], histories.NOW, FIRED, histories.samples())
    base = stack.enter_context(real)
    tls = stack.enter_context(nginx.running(folders[1]))
    alerts = stack.enter_context(alertmanager.alone(folders[2]))
    return Senders(hub, lab, duty, cluster, base, alerts, tls)


def _connect(context: SourceContext, senders: Senders) -> None:
    jobs = context.database.job
    id = accounts.create(jobs, EMAIL, PASSWORD, "Ada")
    steps.add_workspaces(context.database, Viewer(id, EMAIL), "Payments\nSearch\nIdentity")
    ids = dict(jobs.connect().exec_driver_sql("select slug, id from workspace").all())
    _files(context)
    for kind, name, config, secret, rules in _of_the_organisation(senders):
        new = NewSource(kind, name, config, secret, None, None, histories.DAYS)
        made = store.create(jobs, context.box, new, (id, EMAIL))
        store.set_rules(jobs, made, [(p, ids[slug]) for p, slug in rules], EMAIL)
    for kind, name, config in _of_payments(senders):
        new = NewSource(kind, name, config, "", ids["payments"])
        store.create(jobs, context.box, new, (id, EMAIL))
    click.echo(f"Sign in as {EMAIL} with the password {PASSWORD}")


def _files(context: SourceContext) -> None:
    """Vendors of which one can not be read, and an SLO whose queries Prometheus knows."""
    inbox = Path(context.settings.data_dir) / "inbox" / "payments"
    inbox.mkdir(parents=True, exist_ok=True)
    rows = "\n".join(f"V-{n},Vendor {n},{n % 4 + 1}" for n in range(1, 9))
    (inbox / "vendors.csv").write_text(f"key,name,tier\n{rows}\nV-9,,7\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slos.yaml"
        path.write_text(histories.SLO)
        load_records(context.database, KINDS["slos"], [path], workspace="payments")


Rules = list[tuple[str, str]]


def _of_the_organisation(
    senders: Senders,
) -> list[tuple[str, str, dict[str, str], str, Rules]]:
    hub, lab, duty, cluster = senders[:4]
    return [
        ("github", "GitHub", {"owner": "northwind", "address": hub.base}, hub.token,
         [("northwind/payments-*", "payments"), ("northwind/search", "search"),
          ("northwind/identity", "identity")]),
        ("gitlab", "GitLab", {"group": "northwind", "address": lab.base}, lab.token,
         [("*", "payments")]),
        ("pagerduty", "PagerDuty", {"address": duty.base}, duty.token,
         [("payments", "payments"), ("search", "search")]),
        ("cert-manager", "Cluster", {"address": cluster.base}, cluster.token,
         [("payments", "payments"), ("search", "search")]),
    ]  # fmt: skip


def _of_payments(senders: Senders) -> list[tuple[str, str, dict[str, str]]]:
    hosts = f"localhost:{senders.tls.tls}\nlocalhost:{senders.tls.expired}\n127.0.0.1:9999\n"
    alerts = {"alertmanager": senders.alertmanager} if senders.alertmanager else {}
    return [
        ("prometheus", "Prometheus", {"address": senders.prometheus, **alerts}),
        ("tls", "Hosts", {"hosts": hosts}),
        ("files", "Vendors", {"place": "payments"}),
        ("files", "Nowhere", {"place": "elsewhere"}),
    ]


if __name__ == "__main__":
    main()
