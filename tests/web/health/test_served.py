"""Certificates that end, an address behind which nobody serves, a database without room: each is found,
with what to type."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug import Response
from werkzeug.serving import make_server

from settings import Settings, load
from storage import embedded
from storage.database import connect
from tests.deep import DEEP, every
from tests.exports.work.test_killed_workers import free_port
from tests.faults.test_disk import fill
from tests.runbook.test_nginx import NGINX
from tests.storage.clusters import Cluster, cluster
from tests.web.health.servers import database_certificate, mail_server, nginx
from tests.webworld import make
from web.health import address, certificates, checkup, surroundings
from web.health.findings import HealthFinding

PATIENCE = 20.0
SIX_DAYS, GONE = timedelta(days=6, hours=1), timedelta(days=-2)
DEBIANS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
"""Programs of a server that speaks TLS: the embedded one does not."""
with_nginx = pytest.mark.skipif(NGINX is None, reason="nginx: .ci/system-packages nginx")


@pytest.fixture
def trusted(tmp_path, monkeypatch) -> Path:
    """A folder whose certificate the programs of this machine trust."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "fullchain.pem"))
    return tmp_path


@contextmanager
def serving(app: Callable) -> Iterator[int]:
    """Port of a server with the application."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@with_nginx
@pytest.mark.parametrize("lasts", [timedelta(days=300), SIX_DAYS, GONE], ids=str)
def test_a_certificate_of_the_public_address_that_ends_is_found_before_and_after(
    database, settings, trusted, lasts
):
    web = make(database, settings)
    with serving(web.app) as inside, nginx(trusted, inside, lasts) as url:
        problems = address.findings(url, PATIENCE)
    told = {
        SIX_DAYS: f"that of {url} ends in 6 days, on ",
        GONE: f"browsers refuse that of {url}: certificate has expired",
    }.get(lasts)
    assert [problem.brief for problem in problems] == ["certificate"] * bool(told)
    for problem in problems:
        assert problem.detail.startswith(str(told))
        host = url.removeprefix("https://")
        assert f"openssl s_client -connect {host} -servername localhost" in problem.remedy
        assert not problem.must_not_serve


@with_nginx
def test_an_address_behind_which_nobody_serves_is_found_and_then_one_that_is_gone(trusted):
    with nginx(trusted, free_port()) as url:
        (nobody,) = address.findings(url, PATIENCE)
    (gone,) = address.findings(url, PATIENCE)
    assert (nobody.brief, gone.brief) == ("public address", "public address")
    assert nobody.detail == f"{url}/healthz answers 503: no process serves behind it"
    assert nobody.remedy.startswith("systemctl status vigilo-web")
    assert "does not answer" in gone.detail
    assert "refused" in gone.detail
    assert gone.remedy.startswith("systemctl status nginx")


def test_another_program_and_a_name_that_leads_nowhere_are_found():
    with serving(Response("It works!")) as port:
        (other,) = address.findings(f"http://127.0.0.1:{port}", PATIENCE)
    assert "answers 200, which is not this program" in other.detail
    (nowhere,) = address.findings("https://vigilo.invalid", PATIENCE)
    assert nowhere.remedy.startswith("getent hosts vigilo.invalid ")


def over_tls(made: Cluster, own: Settings, sslmode: str, authorities: str) -> Settings:
    """Settings of an installation there whose roles that serve come over TLS."""
    options = {"sslmode": sslmode}
    if sslmode != "require":
        options["sslrootcert"] = authorities
    urls = {
        f"{name}database_url": made.url(role)
        .set(host="localhost")
        .update_query_dict(options)
        .render_as_string(hide_password=False)
        for name, role in (("", "vigilo_web"), ("job_", "vigilo_job"))
    }
    return own.model_copy(update={**urls, "owner_database_url": None, "backup_database_url": None})


@pytest.mark.skipif(DEBIANS is None, reason="needs a PostgreSQL that speaks TLS, such as Debian's")
@pytest.mark.parametrize(
    ("lasts", "sslmode", "briefs"),
    every(
        3,
        [
            (SIX_DAYS, "verify-full", ["certificate"]),
            (SIX_DAYS, "require", []),
            (GONE, "verify-full", ["database", "certificate"]),
        ],
        several=True,
    ),
    ids=["soon", "nobody looks at it", "ended"],
)
def test_a_certificate_of_the_database_that_ends_is_found(
    server, settings, tmp_path, lasts, sslmode, briefs
):
    user = (settings.data_dir / "postgres").owner()
    with (
        database_certificate(user, lasts) as lines,
        cluster(DEBIANS, user, lines) as made,
    ):
        own = over_tls(made, made.settings(tmp_path, settings), sslmode, lines["ssl_cert_file"])
        problems = [
            *checkup.of_the_database(lambda: connect(own), own),
            *certificates.of_databases(own, PATIENCE),
        ]
    about = [problem for problem in problems if "certificate" in str(problem)]
    assert [problem.brief for problem in about] == briefs
    if lasts == GONE:
        assert "certificate verify failed" in about[0].detail
        assert about[0].remedy.startswith("Renew the server's certificate")
    for problem in about[-1:]:
        end = "ended" if lasts == GONE else "ends in 6 days"
        assert f"the database server localhost:{made.port} {end}, on" in problem.detail
        assert f"-starttls postgres -connect localhost:{made.port}" in problem.remedy


@pytest.mark.parametrize("lasts", [timedelta(days=300), SIX_DAYS, GONE], ids=str)
def test_a_certificate_of_the_mail_server_that_ends_is_found(settings, trusted, lasts):
    with mail_server(trusted, lasts) as url:
        own = settings.model_copy(update={"smtp_url": url})
        problems = list(surroundings.findings(own))
    briefs = {SIX_DAYS: ["certificate"], GONE: ["mail server"]}.get(lasts, [])
    assert [problem.brief for problem in problems] == briefs
    for problem in problems:
        assert ("ends in 6 days" if lasts == SIX_DAYS else "has expired") in problem.detail
        assert "openssl s_client -starttls smtp -connect localhost:" in problem.remedy


@contextmanager
def small_disk() -> Iterator[Path]:
    """A file system of its own, of 240 MB."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-small-"))
    words = ["mount", "-t", "tmpfs", "-o", "size=240m,mode=1777", "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def room(made) -> list[HealthFinding]:
    """Findings about the disk of a cluster, as its administrator's role would have them."""
    gone = load(database_url=made.addresses()["database_url"], secret_key="x" * 40)
    database = connect(gone.model_copy(update={"job_database_url": gone.database_url}))
    try:
        return checkup.of_the_databases_disk(lambda: database)
    finally:
        database.close()


@pytest.mark.skipif(
    not DEEP or os.geteuid() != 0, reason="deep, and mounts a file system of its own, as root"
)
def test_a_full_disk_of_the_database_is_found(server, settings, monkeypatch):
    user = (settings.data_dir / "postgres").owner()
    with small_disk() as folder:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        with cluster(embedded.programs(), user, {"max_wal_size": "32MB"}) as made:
            made.sql("alter role vigilo_web set temp_file_limit = '2GB'")
            assert room(made) == []
            with pytest.raises(OSError, match="No space"):
                fill(folder / "fill")
            (problem,) = room(made)
            assert problem.brief == "disk"
            assert "has not 64 MB left" in problem.detail
            assert "No space left on device" in problem.detail
            (folder / "fill").unlink()
            assert room(made) == []
