"""Grafana alerting: the webhook of a contact point, which has Alertmanager's shape.

Everything said of ``alertmanager`` holds. When an alert is over Grafana may give the end as the start
too; it ends the one that is open. Alerts named DatasourceNoData and DatasourceError are alerts like
others. Grafana signs where the contact point has an HMAC secret.
"""

from __future__ import annotations

from collections.abc import Iterator

from ingest.formats import alertmanager
from ingest.formats.form import Format, Signed
from ingest.reader import FormatInput, RawRecord


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """A statement for each alert of each group."""
    yield from alertmanager.read(reading)


FORMAT = Format(
    "grafana",
    {"incidents": read},
    "Grafana alerting webhooks",
    ingest=True,
    signed=Signed("X-Grafana-Alerting-Signature", ""),
    source="alertmanager",
)
