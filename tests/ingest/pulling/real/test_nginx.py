"""Files and certificates of a real nginx: tags, listings, a private authority, wrong ones, a proxy."""

from __future__ import annotations

import pytest

from tests.ingest.pulling.real import nginx as nginx_server

ROWS = "key,created_at,completed_at,outcome\nD-1,2026-11-01T10:00:00Z,2026-11-01T10:05:00Z,failed\n"
VENDORS = "key,name,tier\nV-1,Cloud,1\n"


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    with nginx_server.running(tmp_path_factory.mktemp("nginx")) as server:
        (server.files / "deployments.csv").write_text(ROWS)
        (server.files / "vendors.csv").write_text(VENDORS)
        yield server


def trusting(installed, nginx, **more):
    """The operator names the private authority."""
    update = {"source_ca": nginx.authority, **more}
    settings = installed.context.settings.model_copy(update=update)
    installed.context = installed.context._replace(settings=settings)


def test_a_listing_is_read_and_while_it_is_the_same_each_file_costs_a_request(installed, nginx):
    source = installed.make("files", place=f"http://127.0.0.1:{nginx.plain}/")
    run = installed.sync(source)
    assert (run.state, run.written, run.requests) == ("done", 2, 3), run
    again = installed.sync(source)
    assert (again.read, again.requests) == (0, 3)
    (nginx.files / "deployments.csv").write_text(ROWS + ROWS.splitlines()[1].replace("D-1", "D-2"))
    assert installed.sync(source).written == 1
    assert installed.rows("deployment", "key") == [("D-1",), ("D-2",)]


def test_a_redirection_elsewhere_is_not_followed(installed, nginx):
    source = installed.make("files", place=f"http://127.0.0.1:{nginx.plain}/moved/deployments.csv")
    assert installed.sync(source).error_code == "moved_elsewhere"


def test_a_private_authority_is_trusted_once_the_operator_names_it(installed, nginx):
    source = installed.make("files", place=f"https://localhost:{nginx.tls}/vendors.csv")
    run = installed.sync(source)
    assert run.error_code == "tls_untrusted"
    assert "VIGILO_SOURCE_CA" in run.message
    trusting(installed, nginx)
    assert installed.sync(source).state == "done"
    assert installed.rows("vendor", "key") == [("V-1",)]


@pytest.mark.parametrize(
    ("host", "where"),
    [("localhost", "expired"), ("127.0.0.1", "tls")],
    ids=["expired", "another name"],
)
def test_no_certificate_that_is_wrong_is_passed_over(installed, nginx, host, where):
    trusting(installed, nginx)
    place = f"https://{host}:{getattr(nginx, where)}/vendors.csv"
    assert installed.sync(installed.make("files", place=place)).error_code == "tls_untrusted"
    assert installed.rows("vendor", "key") == []


def test_a_proxy_is_asked_by_name_and_sees_no_path(installed, nginx):
    with nginx_server.proxy() as tunnel:
        trusting(installed, nginx, source_proxy=f"http://127.0.0.1:{tunnel.port}")
        source = installed.make("files", place=f"https://localhost:{nginx.tls}/vendors.csv")
        run = installed.sync(source)
        assert run.state == "done", run
    assert tunnel.asked == [f"localhost:{nginx.tls}"]
    assert installed.sync(source).error_code == "proxy", "it is gone"


def test_hosts_serve_what_their_name_asks_for_and_expired_ones_too(installed, nginx):
    lines = [f"localhost:{nginx.tls}", f"127.0.0.1:{nginx.tls}", f"localhost:{nginx.expired}"]
    run = installed.sync(installed.make("tls", hosts="\n".join([*lines, "localhost:1"])))
    assert (run.state, run.written, run.refused) == ("done", 3, 1), run
    rows = installed.rows("certificate", "port, host, subject, not_after < now()")
    assert sorted(rows) == sorted(
        [(nginx.tls, "localhost", "CN=localhost", False),
         (nginx.tls, "127.0.0.1", "CN=stranger.example", False),
         (nginx.expired, "localhost", "CN=localhost", True)]
    )  # fmt: skip
