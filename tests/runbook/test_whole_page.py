"""docs/operation.md, typed from its beginning to its end by an operator: a PostgreSQL of its own, nginx
with TLS, the services of two hosts. People who are signed in meanwhile notice nothing of new keys."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import requests

from storage import embedded
from tests.deep import DEEP
from tests.exports.work.test_killed_workers import free_port
from tests.faults.stack import Load
from tests.runbook import machines
from tests.runbook.blocks import blocks
from tests.runbook.shell import OperatorShell
from tests.runbook.test_nginx import NGINX, written
from tests.served import ROOT, until
from tests.storage.clusters import PASSWORD, cluster

TYPED = [block for block in blocks(ROOT / "docs" / "operation.md") if block[1] == "sh"]
OTHER_HOST, FIRST, SECRET = "127.0.0.2", "127.0.0.1", "a long first password"
pytestmark = pytest.mark.skipif(
    not DEEP or NGINX is None, reason="deep, and nginx: .ci/system-packages nginx"
)
PREPARED = """
printf 'slug,name,region,is_active,accent\\npayments,Payments,eu,true,\\n' > $ETC/workspaces.csv
vigilo records import workspaces $ETC/workspaces.csv
vigilo member grant you@example.com payments platform_admin
vigilo schedule run
mkdir -p $STATE/inbox
vigilo source add files place=$STATE/inbox --as you@example.com --workspace payments
export SOURCE=1 SOMEBODY=somebody@example.com
echo "$FIRST_PASSWORD" | vigilo user create $SOMEBODY --name "Somebody"
vigilo token create $SOMEBODY
export TOKEN=`vigilo token list $SOMEBODY | awk 'NR == 1 {print $1}'`
READ=".venv/bin/python -m tests.runbook.unreadable"
export PART=`( set -a; . $ETC/environment; . $ETC/environment.operator; exec $READ )`
"""
"""Things to look at when the alerts come: a source, a token, a delivery that could not be read."""


@contextmanager
def nginx(folder: Path, inside: int) -> Iterator[str]:
    """Address of an nginx with deploy/nginx.conf, which an operator has put there."""
    plain, tls = free_port(), free_port()
    path = written(folder, {"80": plain, "443": tls, "8050": inside})
    path.rename(folder / "vigilo.conf")
    process = subprocess.Popen([str(NGINX), "-p", str(folder), "-c", str(folder / "vigilo.conf")])
    try:
        yield f"https://localhost:{tls}"
    finally:
        process.terminate()
        process.wait(10)


class SignedInPerson:
    """Somebody who is signed in, and goes on with the same cookies at every host."""

    def __init__(self, outside: str, authorities: Path) -> None:
        self.outside, self.browser = outside, requests.Session()
        self.browser.verify, self.browser.trust_env = str(authorities), False
        page = self.browser.get(f"{outside}/login", timeout=20).text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token
        form = {"email": "you@example.com", "password": SECRET, "csrf_token": token[1]}
        answer = self.browser.post(f"{outside}/login", data=form, timeout=20)
        assert "/login" not in answer.url, answer.text[:500]

    def change(self) -> requests.Response:
        """Answer to a change that is wrong, once its token was taken: 403 where that was refused."""
        self.browser.get(f"{self.outside}/account", timeout=20)
        cookies = {cookie.name: str(cookie.value) for cookie in self.browser.cookies}
        return self.browser.post(
            f"{self.outside}/exports", json={"period": "never", "format": "csv"}, timeout=20,
            headers={"X-CSRFToken": cookies["__Host-_csrf_token"], "Referer": self.outside},
        )  # fmt: skip

    def at(self, host: str, port: int) -> int:
        """Status of a page that one host itself answers to the cookies."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.browser.cookies)
        url = f"http://{host}:{port}/account"
        headers = {"Cookie": cookies, "Host": self.outside.removeprefix("https://")}
        return requests.get(url, headers=headers, allow_redirects=False, timeout=20).status_code


@pytest.fixture
def operator(server, settings, tmp_path, monkeypatch) -> Iterator[tuple[OperatorShell, str, int]]:
    """An operator's shell, the address that people know, and the port of the hosts."""
    user, port = (settings.data_dir / "postgres").owner(), free_port()
    machines.install(tmp_path / "bin")
    folders = {name: tmp_path / name for name in ("etc", "nginx", "machines")}
    for folder in folders.values():
        folder.mkdir()
    authorities = str(folders["nginx"] / "fullchain.pem")
    with (
        cluster(embedded.programs(), user, prepared=False) as made,
        nginx(folders["nginx"], port) as outside,
    ):
        shell = OperatorShell(
            tmp_path,
            {
                "PATH": f"{tmp_path / 'bin'}:{embedded.programs()}:/usr/sbin:/usr/bin:/bin",
                "PGHOST": FIRST, "PGPORT": str(made.port), "PGUSER": "postgres", "PGPASSWORD": PASSWORD,
                "AS": "env",  # the services' account is an administrator's to make: a block of text
                "ETC": str(folders["etc"]), "STATE": str(tmp_path / "state"),
                "CACHE": str(tmp_path / "cache"), "NGINX": str(folders["nginx"]),
                "MACHINES": str(folders["machines"]), "FREE_PORT": str(port),
                "SSL_CERT_FILE": authorities, "CURL_CA_BUNDLE": authorities,
                "NEW_HOST": OTHER_HOST, "FIRST_PASSWORD": SECRET,
                "NEW_PASSWORD": "another-password", "NEW_SECRET": "another-secret",
            },
        )  # fmt: skip
        try:
            shell.type(f'nginx() {{ {NGINX} -c "$NGINX/vigilo.conf" "$@"; }}')
            yield shell, outside, port
        finally:
            shell.close()
            for process in list(machines.running(tmp_path)):
                with suppress(psutil.NoSuchProcess):
                    process.kill()


def test_every_command_does_what_it_is_there_for(operator, tmp_path):
    shell, outside, port = operator
    authorities, well = tmp_path / "nginx" / "fullchain.pem", 0
    for heading, _, text in TYPED:
        block = text.replace("https://vigilo.example.com", outside).replace("8050", str(port))
        well += len(re.findall(r"^vigilo doctor", block, re.MULTILINE))
        if heading == "VigiloDown":
            shell.type(PREPARED)
        if heading == "Rotate keys" and "secrets rotate" in block:
            noticed_by_nobody(shell, block, SignedInPerson(outside, authorities), port)
        else:
            shell.type(block)
    assert shell.told.count("All is well.") == well
    for sentence in (
        "1 in quarantine", "1  files", "done: ", "opens nothing any more", "is deactivated",
        "restored and compared", "secrets are sealed under the current key",
    ):  # fmt: skip
        assert sentence in shell.told, sentence


def noticed_by_nobody(shell: OperatorShell, block: str, person: SignedInPerson, port: int) -> None:
    """Types the block while people work; each host takes what the other has signed, then as before."""

    def ask() -> requests.Response:
        return SignedInPerson(person.outside, Path(person.browser.verify)).change()

    hosts = (FIRST, OTHER_HOST)
    assert [person.at(host, port) for host in hosts] == [200, 200]
    with Load(person.change, threads=1) as working, Load(ask, threads=1) as coming:
        until(lambda: working.answers and coming.answers)
        shell.type(block)
    assert (working.refused, coming.refused) == ([], [])
    assert {*working.answers, *coming.answers} == {422}
    assert [person.at(host, port) for host in hosts] == [200, 200]
    assert (person.change().status_code, ask().status_code) == (422, 422)
