"""Copy of the checkout with the folder of a seventh domain in it, and a program that runs from there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.site.conftest import RUN_EACH, free_port

ROOT = Path(__file__).parents[2]
DOMAIN = Path(__file__).with_name("cost")
TODAY = "2026-11-23"
PASSWORD = "a-demo-password"
PATIENCE = 90.0


@dataclass
class ExtendedCheckout:
    """A checkout in ``folder``, with its data beside it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen | None = None

    @classmethod
    def copied_to(cls, folder: Path) -> ExtendedCheckout:
        """Every file that is under version control, as it stands."""
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        checkout = folder / "checkout"
        for name in filter(None, files.split("\0")):
            if (ROOT / name).is_file() and not name.startswith(("docs/screenshots/", "tests/")):
                target = checkout / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, target)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
        port = free_port()
        return cls(
            checkout,
            kept
            | {
                "VIGILO_DATA_DIR": str(folder / "data"),
                "VIGILO_TODAY": TODAY,
                "VIGILO_DEMO_PASSWORD": PASSWORD,
                "VIGILO_ORG_NAME": "Northwind Group",
                "HOST": "127.0.0.1",
                "PORT": str(port),
                "PYTHONDONTWRITEBYTECODE": "",  # what a first command compiled, the next need not
            },
        )

    @property
    def address(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def put(self) -> None:
        """Puts the domain's folder beside the others."""
        shutil.copytree(DOMAIN, self.folder / "aggregators" / "cost")

    def take_away(self) -> None:
        """Takes the domain's folder away, and the migration that was written for it."""
        shutil.rmtree(self.folder / "aggregators" / "cost")

    def python(self, *arguments: str) -> str:
        """Runs Python in the checkout; its output. Fails the test when it fails."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout

    def flask(self, *arguments: str) -> str:
        """Runs an operator's command."""
        return self.python("-m", "flask", "--app", "app", *arguments)

    def flask_each(self, *commands: tuple[str, ...]) -> None:
        """Runs several of the operator's commands in one process: most of a command is its start."""
        self.python("-c", RUN_EACH, json.dumps(commands))

    def start(self) -> None:
        """Serves; returns when it answers."""
        log = self.folder.parent / "serve.log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "app", "serve"],
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process.poll() is None, log.read_text()[-4000:]
            assert time.monotonic() < deadline, log.read_text()[-4000:]
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.address}/readyz", timeout=2).ok
        except OSError:
            return False

    def stop(self) -> None:
        """Ends the program."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
            self.process = None
