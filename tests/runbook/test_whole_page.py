"""docs/operation.md, typed from its beginning to its end by an operator: a PostgreSQL of its own, nginx
with TLS, the services of two hosts. People who are signed in meanwhile notice nothing of new keys."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import requests

from storage import embedded
from tests.deep import DEEP
from tests.exports.work.test_killed_workers import free_port
from tests.faults.stack import Load, note
from tests.runbook import machines
from tests.runbook.blocks import blocks
from tests.runbook.shell import OperatorShell
from tests.runbook.test_nginx import NGINX, written
from tests.served import ROOT, until
from tests.storage.clusters import PASSWORD, cluster

RUNBOOK = ROOT / "docs" / "operation.md"
TYPED = [block for block in blocks(RUNBOOK) if block[1] == "sh"]
ALERTS = "What each alert means"
"""Chapter whose sections are the alerts; every other chapter has its blocks under its own heading."""
CHAPTERS = [*dict.fromkeys(ALERTS if name.startswith("Vigilo") else name for name, _, _ in TYPED)]
BETWEEN_SECONDS = 0.5
"""Pause of people between two things that they do: without one they take the processors that the services
need to begin."""
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

PATIENCE_SECONDS = 100
"""Time for an answer: who waits on a busy machine is not refused."""


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
        page = self.browser.get(f"{outside}/login", timeout=PATIENCE_SECONDS).text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token
        form = {"email": "you@example.com", "password": SECRET, "csrf_token": token[1]}
        answer = self.browser.post(f"{outside}/login", data=form, timeout=PATIENCE_SECONDS)
        assert "/login" not in answer.url, answer.text[:500]

    def change(self) -> requests.Response:
        """Answer to a change that is wrong, once its token was taken: 403 where that was refused."""
        self.browser.get(f"{self.outside}/account", timeout=PATIENCE_SECONDS)
        cookies = {cookie.name: str(cookie.value) for cookie in self.browser.cookies}
        return self.browser.post(
            f"{self.outside}/exports", json={"period": "never", "format": "csv"}, timeout=PATIENCE_SECONDS,
            headers={"X-CSRFToken": cookies["__Host-_csrf_token"], "Referer": self.outside},
        )  # fmt: skip

    def at(self, host: str, port: int) -> int:
        """Status of a page that one host itself answers to the cookies."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.browser.cookies)
        url = f"http://{host}:{port}/account"
        headers = {"Cookie": cookies, "Host": self.outside.removeprefix("https://")}
        return requests.get(
            url, headers=headers, allow_redirects=False, timeout=PATIENCE_SECONDS
        ).status_code


@dataclass
class OperatedMachines:
    """An operator's shell, the address that people know, the port of the hosts, the authorities of their
    certificates, and which chapters were typed to their ends."""

    shell: OperatorShell
    outside: str
    port: int
    authorities: Path
    done: list[str] = field(default_factory=list)
    wells: int = 0

    def typed(self, heading: str, text: str) -> None:
        """Types a block, with the addresses of this machine."""
        block = text.replace("https://vigilo.example.com", self.outside)
        block = block.replace("8050", str(self.port))
        self.wells += len(re.findall(r"^vigilo doctor", block, re.MULTILINE))
        if heading == "Rotate keys" and "secrets rotate" in block:
            noticed_by_nobody(self, block)
        else:
            self.shell.type(block)


@pytest.fixture(scope="module")
def installation(server, settings, tmp_path_factory) -> Iterator[OperatedMachines]:
    """The machines on which the whole page is typed, chapter after chapter."""
    tmp_path = tmp_path_factory.mktemp("operator")
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
            yield OperatedMachines(shell, outside, port, Path(authorities))
        finally:
            shell.close()
            for process in list(machines.running(tmp_path)):
                with suppress(psutil.NoSuchProcess):
                    process.kill()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_command_does_what_it_is_there_for(installation, chapter):
    before = CHAPTERS[: CHAPTERS.index(chapter)]
    if installation.done != before:
        pytest.skip("a chapter before it was not typed to its end")
    begun = time.monotonic()
    if chapter == ALERTS:
        installation.shell.type(PREPARED)
    for heading, _, text in TYPED:
        if heading == chapter or (chapter == ALERTS and heading.startswith("Vigilo")):
            installation.typed(heading, text)
    assert installation.shell.told.count("All is well.") == installation.wells
    installation.done.append(chapter)
    print(f"{chapter}: {time.monotonic() - begun:.0f} s")  # noqa: T201 - where the time goes


def test_each_of_them_said_what_it_did(installation):
    if installation.done != CHAPTERS:
        pytest.skip("not every chapter was typed to its end")
    for sentence in (
        "1 in quarantine", "1  files", "done: ", "opens nothing any more", "is deactivated",
        "restored and compared", "secrets are sealed under the current key",
    ):  # fmt: skip
        assert sentence in installation.shell.told, sentence


def noticed_by_nobody(installation: OperatedMachines, block: str) -> None:
    """Types the block while people work; each host takes what the other has signed, then as before."""
    person = SignedInPerson(installation.outside, installation.authorities)

    def ask() -> requests.Response:
        time.sleep(BETWEEN_SECONDS)
        return SignedInPerson(installation.outside, installation.authorities).change()

    def change() -> requests.Response:
        time.sleep(BETWEEN_SECONDS)
        return person.change()

    hosts = (FIRST, OTHER_HOST)
    assert [person.at(host, installation.port) for host in hosts] == [200, 200]
    with Load(change, threads=1) as working, Load(ask, threads=1) as coming:
        until(lambda: working.answers and coming.answers)
        installation.shell.type(block)
    assert (working.refused, coming.refused) == ([], [])
    assert {*working.answers, *coming.answers} == {422}
    assert [person.at(host, installation.port) for host in hosts] == [200, 200]
    number = len(working.answers) + len(coming.answers)
    note("Keys rotated on two hosts", f"nothing: of {number} requests none was refused", 0.0)
    assert (change().status_code, ask().status_code) == (422, 422)
