"""deploy/nginx.conf before gunicorn: sign-in over TLS, and a reload that nobody notices."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from getpass import getuser
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.deep import DEEP
from tests.exports.work.test_killed_workers import free_port
from tests.faults.conftest import reload
from tests.faults.stack import Load
from tests.ingest.formats.test_x509 import PRIVATE, certificate
from tests.served import ROOT, ServedWeb, signed_in, until
from tests.webworld import API, EXECUTIVE, make
from web.first_run.page import FILES

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
WHOLE = """
daemon off; user {user}; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {site}
}}
"""
pytestmark = pytest.mark.skipif(
    not DEEP or NGINX is None, reason="deep, and nginx: .ci/system-packages nginx"
)


@dataclass
class Behind(ServedWeb):
    """gunicorn behind nginx, asked at nginx's address."""

    outside: str = ""

    @property
    def inside(self) -> str:
        """Address of gunicorn itself."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return self.outside or self.inside


def written(folder: Path, ports: dict[str, int]) -> Path:
    """The file of deploy/ as it is, but for ports, names and where the certificate lies."""
    site = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for old, port in ports.items():
        site = re.sub(rf"(?<=[ :]){old}(?=[ ;])", str(port), site)
    site = re.sub(r" *listen \\[::\\].*\n", "", site)
    site = site.replace("/etc/ssl/vigilo", str(folder)).replace("vigilo.example.com", "localhost")
    (folder / "privkey.pem").write_bytes(PRIVATE)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    )
    own = certificate("localhost", datetime(2036, 1, 1, tzinfo=UTC), extensions=(names,))
    (folder / "fullchain.pem").write_bytes(own.public_bytes(Encoding.PEM))
    path = folder / "nginx.conf"
    path.write_text(WHOLE.format(user=getuser(), folder=folder, site=site), encoding="utf-8")
    return path


@pytest.fixture
def behind(database, settings, tmp_path, monkeypatch) -> Iterator[Behind]:
    make(database, settings)
    plain, tls = free_port(), free_port()
    web = Behind.over(
        database, tmp_path, workers=2, VIGILO_PROXIES="1",
        VIGILO_BASE_URL=f"https://localhost:{tls}", VIGILO_DEBUG="false",
    )  # fmt: skip
    web.start()
    path = written(tmp_path, {"80": plain, "443": tls, "8050": web.port})
    nginx = subprocess.Popen([str(NGINX), "-p", str(tmp_path), "-c", str(path)])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "fullchain.pem"))
    until(lambda: _answers(f"http://localhost:{plain}/"))
    web.outside = f"https://localhost:{tls}"
    yield web
    nginx.terminate()
    nginx.wait(10)
    web.kill()


def _answers(address: str) -> bool:
    try:
        return requests.get(address, allow_redirects=False, timeout=2).status_code == 308
    except OSError:
        return False


def test_sign_in_over_tls_and_a_reload_under_load(behind):
    browser = signed_in(behind)
    assert browser.get(behind.address + EXECUTIVE).status_code == 200
    assert {(cookie.name, cookie.secure) for cookie in browser.cookies} >= {("__Host-vigilo", True)}
    assert browser.get(behind.address + "/metrics").status_code == 404
    assert browser.post(behind.address + API, data=b"x" * 2**21).status_code == 413
    dropped = browser.post(behind.address + FILES, data=b"x" * 2**21)
    assert "X-Request-Id" in dropped.headers  # the program's answer, not nginx's
    with Load(lambda: browser.get(behind.address + API, timeout=20)) as load:
        until(lambda: len(load.answers) > 5)
        before = _workers(behind)
        reload(behind)
        until(lambda: not before & _workers(behind))
    assert load.refused == []
    assert set(load.answers) == {200}


def _workers(web: ServedWeb) -> set[str]:
    assert web.process is not None
    children = Path(f"/proc/{web.process.pid}/task/{web.process.pid}/children")
    return set(children.read_text(encoding="ascii").split())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/%00", 400),
        ("/ws/%00/analytics", 400),
        ("/" + "a" * 9000, 414),
        ("/ws/%ff/analytics", 400),
    ],
)
def test_an_address_that_can_not_be_read_is_told_in_words(behind, path, status):
    answer = requests.get(
        behind.address + path, headers={"Accept": "text/html"}, allow_redirects=False, timeout=20
    )
    assert answer.status_code == status
    assert "<h1>The address can not be read</h1>" in answer.text


def test_an_address_that_nginx_passes_on_is_answered_by_the_program(behind):
    path = f"/exports?filter={'a' * 7900}"
    answer = requests.get(
        behind.address + path, headers={"Accept": "text/html"}, allow_redirects=False, timeout=20
    )
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login")


def test_while_no_process_serves_people_see_words(behind):
    behind.kill()
    answer = requests.get(behind.address + EXECUTIVE, timeout=20)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "Nothing is lost" in answer.text
