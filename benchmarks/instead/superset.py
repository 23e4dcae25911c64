"""Apache Superset's chart API in a process of its own: a dataset of SQL for each part, as it documents.

Its packages exclude this program's, so it has an environment of its own: ``python -m venv superset``, then
``superset/bin/pip install apache-superset psycopg2-binary rich cachetools "Flask-Caching<2.4"`` and
``python benchmarks/peers.py --superset superset/bin/superset``.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import requests
from sqlalchemy import URL

from aggregators.vocabulary.period import Period
from benchmarks.instead.daily import KEYS, Answer
from benchmarks.instead.floor import statement
from benchmarks.site.serving import free_port

CONFIGURATION = """
SECRET_KEY = "{secret}"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
ROW_LIMIT = SQL_MAX_ROW = 10_000_000
"""
PATIENCE = 120
ADMIN = "admin"


class SupersetCharts:
    """Every part by one request for a chart, past Superset's own cache."""

    name = "Apache Superset's chart API over PostgreSQL"

    def __init__(self, base: str, password: str, address: URL) -> None:
        self._base, self._session = f"{base}/api/v1", requests.Session()
        person = {"username": ADMIN, "password": password, "provider": "db"}
        token = self._sent("security/login", person)["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"
        csrf = self._session.get(f"{self._base}/security/csrf_token/").json()["result"]
        self._session.headers.update({"X-CSRFToken": csrf, "Referer": base})
        plain = address.set(drivername="postgresql+psycopg2")
        database = {
            "database_name": "floor",
            "sqlalchemy_uri": plain.render_as_string(hide_password=False),
        }
        self._database = self._sent("database/", database)["id"]
        self._datasets: dict[tuple[str, Period], tuple[int, list[str]]] = {}

    def answer(self, period: Period) -> Answer:
        """Every part, from the rows of Superset's JSON."""
        return {part: self._chart(*self._dataset(part, period)) for part in KEYS}

    def _dataset(self, part: str, period: Period) -> tuple[int, list[str]]:
        """A dataset of the part's statement, made once, and its columns."""
        if (part, period) not in self._datasets:
            made = {
                "database": self._database,
                "table_name": f"{part} {period.preset}",
                "sql": statement(part, period),
            }
            id = self._sent("dataset/", made)["id"]
            columns = self._session.get(f"{self._base}/dataset/{id}").json()["result"]["columns"]
            self._datasets[part, period] = id, [column["column_name"] for column in columns]
        return self._datasets[part, period]

    def _chart(self, dataset: int, columns: Sequence[str]) -> pd.DataFrame:
        query = {
            "datasource": {"id": dataset, "type": "table"},
            "queries": [{"columns": [*columns], "row_limit": 0, "metrics": []}],
            "result_format": "json",
            "result_type": "full",
            "force": True,
        }
        return pd.DataFrame(self._sent("chart/data", query)["result"][0]["data"], columns=columns)

    def _sent(self, path: str, body: object) -> Any:
        """JSON of an answer. Raises RuntimeError with what Superset says where it refuses."""
        answer = self._session.post(f"{self._base}/{path}", json=body)
        if not answer.ok:
            raise RuntimeError(f"Superset, {path}: {answer.status_code} {answer.text[:400]}")
        return answer.json()


@contextmanager
def serving(program: Path, address: URL, folder: Path) -> Iterator[SupersetCharts]:
    """Superset set up in the folder and served by its own server until the end."""
    password, port = secrets.token_urlsafe(), free_port()
    words = CONFIGURATION.format(secret=secrets.token_urlsafe(42), folder=folder)
    (folder / "superset_config.py").write_text(words, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(folder), "FLASK_APP": "superset"}
    who = ["--username", ADMIN, "--firstname", "A", "--lastname", "A", "--email", "a@x.example"]
    for command in (
        ["db", "upgrade"],
        ["fab", "create-admin", *who, "--password", password],
        ["init"],
    ):
        subprocess.run([program, *command], env=environment, check=True, capture_output=True)
    with (folder / "superset.log").open("wb") as log:
        serve = [program, "run", "--port", str(port), "--with-threads"]
        process = subprocess.Popen(serve, env=environment, stdout=log, stderr=log)
    try:
        base = f"http://127.0.0.1:{port}"
        _wait(f"{base}/health")
        yield SupersetCharts(base, password, address)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait(health: str) -> None:
    """Returns when the server answers. Raises TimeoutError after two minutes."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if requests.get(health, timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.5)
    raise TimeoutError("Superset does not serve")
