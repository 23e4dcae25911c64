"""Complete lists withdraw the vendors, objectives and incidents that they lack, once it is confirmed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Flask

from tests.ingest.test_command import RECORDS

FILES = {
    "vendors": ("key,name,tier\n", ("a,Ash,1\n", "b,Beech,2\n")),
    "slos": ("key,target_percent\n", ("a,99\n", "b,99.5\n")),
    "incidents": (
        "key,title,opened_at\n",
        ("a,One,2026-11-01T09:00:00Z\n", "b,Two,2026-11-02T09:00:00Z\n"),
    ),
}


@pytest.fixture
def listing(database, workspaces, settings, tmp_path):
    """Imports lines of a kind through the command."""
    app = Flask("vigilo")
    app.extensions["vigilo"] = SimpleNamespace(database=database, settings=settings)
    app.cli.add_command(RECORDS)

    def run(kind: str, *lines: str, options: tuple[str, ...] = ("--authoritative", "--yes")):
        path = tmp_path / "list.csv"
        path.write_text(FILES[kind][0] + "".join(lines))
        args = ["records", "import", kind, str(path), "--workspace", "payments", *options]
        with app.app_context():
            return app.test_cli_runner().invoke(args=args)

    return run


@pytest.fixture
def standing(stored):
    """Keys of the records that are not withdrawn."""
    return lambda kind: [r["key"] for r in stored(kind) if r.get("left_out") is None]


@pytest.mark.parametrize("kind", FILES)
def test_what_a_list_lacks_is_shown_withdrawn_and_back_with_a_later_list(listing, standing, kind):
    first, second = FILES[kind][1]
    listing(kind, first, second, options=())
    shown = listing(kind, second, options=("--authoritative",))
    assert shown.exit_code == 1
    assert "payments: a is not listed any more" in shown.output
    assert standing(kind) == ["a", "b"]
    done = listing(kind, second)
    assert (done.exit_code, "1 withdrawn." in done.output) == (0, True)
    assert standing(kind) == ["b"]
    assert f"None of the {kind} is to be withdrawn." in listing(kind, second).output
    listing(kind, first, second, options=())
    assert standing(kind) == ["a", "b"]


def test_what_began_after_the_list_and_what_another_tells_too_stays(listing, standing, bring):
    first, second = FILES["incidents"][1]
    listing("incidents", first, second, options=())
    body = """{"event": {"event_type": "incident.triggered", "occurred_at": "2026-10-01T09:00:00Z",
        "data": {"id": "P", "title": "Page", "created_at": "2026-10-01T09:00:00Z"}}}"""
    bring("incidents", body, "p.json", workspace="payments", form="pagerduty")
    listing("incidents", "P,Page,2026-10-01T09:00:00Z\n", first, second, options=())
    listing("incidents", first)
    assert standing("incidents") == ["P", "a", "b"]


def test_a_kind_without_complete_lists_is_refused_by_name(listing):
    FILES["deployments"] = ("key,completed_at,outcome\n", ())
    refused = listing("deployments")
    assert "control-results, incidents, slos, vendors; not to deployments" in refused.output
