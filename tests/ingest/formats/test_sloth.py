"""Sloth's specs: windows that others set, queries, and SLIs that have none."""

from __future__ import annotations

import pytest

from ingest.sources.prometheus import WINDOW
from tests.ingest.formats.telling import rows

SPEC = """version: prometheus/v1
service: depot
slos:
  - name: parcels-availability
    objective: 99.5
    sli:
      events:
        error_query: "sum(rate(lost[{{ .window }}]))"
        total_query: "sum(rate(all[{{.window}}]))"
"""
OF_KUBERNETES = """apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {name: depot}
spec:
  service: depot
  slos:
    - name: parcels-availability
      objective: 99.5
      sli:
        events:
          errorQuery: "sum(rate(lost[{{ .window }}]))"
          totalQuery: "sum(rate(all[{{.window}}]))"
"""


@pytest.mark.parametrize("text", [SPEC, OF_KUBERNETES], ids=["own", "of Kubernetes"])
def test_a_spec_tells_no_window(bring, stored, text):
    bring("slos", text, "depot.yaml", workspace="payments")
    (row,) = stored("slos")
    assert (row["key"], row["type"], row["window_days"]) == (
        "depot-parcels-availability",
        "availability",
        30,
    )
    window = "key,target_percent,window_days\ndepot-parcels-availability,99.5,7\n"
    bring("slos", window, workspace="payments")
    bring("slos", text + "# again\n", "depot.yaml", workspace="payments")
    (row,) = stored("slos")
    assert row["window_days"] == 7
    assert row["error_query"].startswith("sum(rate(lost[")


@pytest.mark.parametrize(
    "place", ["{{.window}}", "{{ .window }}", "{{  .window}}", "{{- .window -}}", "{{ window }}"]
)
def test_the_place_of_the_window_is_found_however_it_is_spaced(place):
    assert WINDOW.sub("90s", f"sum(rate(lost[{place}]))") == "sum(rate(lost[90s]))"


@pytest.mark.parametrize(
    ("sli", "reason"),
    [
        ("{plugin: {id: depot/parcels}}", "its SLI is the plugin depot/parcels"),
        ("{raw: {error_ratio_query: '0'}}", "its SLI is a raw ratio"),
        ("{events: {total_query: 'all'}}", "its SLI has none for both"),
    ],
)
def test_an_sli_without_both_queries_is_told(sli, reason):
    text = f"version: prometheus/v1\nservice: depot\nslos: [{{name: lost, objective: 99, sli: {sli}}}]\n"
    warnings: list[str] = []
    (raw,) = rows("sloth", "slos", text.encode(), warnings)
    assert raw.cells["key"] == "depot-lost"
    assert warnings == [f"depot-lost: no queries of it are kept: {reason}"]
