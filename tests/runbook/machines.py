"""Machines of the runbook, all on this one: ``systemctl`` for the units of deploy/ as they stand there, and
``ssh`` and ``scp`` to another host, which is a folder and an address of the loopback of its own.

Run as ``python -m tests.runbook.machines PROGRAM WORDS``, by the scripts that ``install`` writes.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import requests

from tests.served import ROOT, until

UNITS = ROOT / "deploy" / "systemd"
PORT = "8050"
CONTINUED = re.compile(r"\\\n\s*")


def install(folder: Path) -> None:
    """The three programs, in a folder for the front of PATH."""
    folder.mkdir()
    for name in ("systemctl", "ssh", "scp"):
        script = folder / name
        words = shlex.join([sys.executable, "-m", "tests.runbook.machines", name])
        script.write_text(f'#!/bin/sh\ncd {shlex.quote(str(ROOT))} && exec {words} "$@"\n')
        script.chmod(0o755)


def running(folder: Path) -> Iterator[psutil.Process]:
    """Every service that runs on any machine of a folder, and its children."""
    for file in folder.rglob("*.pid"):
        with suppress(psutil.NoSuchProcess, ValueError):
            main = psutil.Process(int(file.read_text()))
            yield from (main, *main.children(recursive=True))


class ServiceUnit:
    """A service of deploy/systemd on this machine: its lines, its variables, its process."""

    def __init__(self, name: str) -> None:
        self.name = name.removesuffix(".service")
        self.etc = Path(os.environ["ETC"])
        self.pid = self.etc / f"{self.name}.pid"
        text = (UNITS / f"{self.name}.service").read_text(encoding="utf-8")
        text = CONTINUED.sub(" ", text).replace(PORT, os.environ["FREE_PORT"])
        text = text.replace("/opt/vigilo/.venv/bin", str(Path(sys.executable).parent))
        self.lines = [line.split("=", 1) for line in text.splitlines() if "=" in line]

    def given(self, key: str) -> list[str]:
        return [value for name, value in self.lines if name == key]

    def environment(self) -> dict[str, str]:
        """Variables as systemd would hand them over: those of the unit, then those of its files."""
        made = {n: v for n, v in os.environ.items() if not n.startswith(("VIGILO_", "PG"))}
        made["RUNTIME_DIRECTORY"] = str(self.etc / "run")
        for line in self.given("Environment"):
            made |= dict(word.split("=", 1) for word in line.split())
        for line in self.given("EnvironmentFile"):
            path = self.etc / Path(line.removeprefix("-")).name
            if not path.exists() and line.startswith("-"):
                continue
            for word in path.read_text(encoding="utf-8").splitlines():
                name, _, value = word.partition("=")
                made[name] = "".join(shlex.split(value))
        return made

    def start(self) -> None:
        variables = self.environment()
        command = re.sub(r"\$\{(\w+)\}", lambda m: variables[m[1]], self.given("ExecStart")[0])
        (self.etc / "run").mkdir(mode=0o700, exist_ok=True)
        log = self.pid.with_suffix(".log").open("ab")
        process = subprocess.Popen(
            shlex.split(command), cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
        self.pid.write_text(str(process.pid))
        if self.given("Type") == ["notify"]:
            until(lambda: _answers(f"http://{variables['HOST']}:{variables['PORT']}/healthz"))

    def stop(self) -> None:
        with suppress(psutil.NoSuchProcess, FileNotFoundError):
            process = psutil.Process(int(self.pid.read_text()))
            process.send_signal(signal.SIGTERM)
            until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
            self.pid.unlink()

    def reload(self) -> None:
        words = shlex.split(self.given("ExecReload")[0].replace("$$", "$"))
        variables = self.environment() | {"MAINPID": self.pid.read_text()}
        subprocess.run(words, env=variables, check=True)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except OSError:
        return False


def systemctl(verb: str, *words: str) -> None:
    """Does what a verb says to units: those of nginx and of timers are the test's."""
    for name in (word for word in words if not word.startswith("-")):
        if name == "nginx":
            pid = int((Path(os.environ["NGINX"]) / "nginx.pid").read_text())
            os.kill(pid, signal.SIGHUP)
            time.sleep(1)
        elif not name.endswith(".timer"):
            unit = ServiceUnit(name)
            if verb == "reload":
                unit.reload()
                continue
            if verb in ("stop", "restart"):
                unit.stop()
            if verb in ("start", "restart", "enable"):
                unit.start()


def elsewhere(host: str, words: str) -> str:
    """Words that name folders of this machine, with those of another."""
    etc = os.environ["ETC"]
    other = Path(os.environ["MACHINES"]) / host
    other.mkdir(parents=True, exist_ok=True)
    return words.replace(etc, str(other))


def ssh(host: str, command: str) -> None:
    """A command on another machine."""
    etc = elsewhere(host, os.environ["ETC"])
    done = subprocess.run(
        ["bash", "-ec", elsewhere(host, command)], env=os.environ | {"ETC": etc}, check=False
    )
    sys.exit(done.returncode)


def scp(*words: str) -> None:
    """A file to another machine."""
    source, destination = [word for word in words if not word.startswith("-")]
    host, path = destination.split(":")
    Path(elsewhere(host, path)).write_bytes(Path(source).read_bytes())


if __name__ == "__main__":
    {"systemctl": systemctl, "ssh": ssh, "scp": scp}[sys.argv[1]](*sys.argv[2:])
