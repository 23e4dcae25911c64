"""Results of assessments of controls, by framework."""

from __future__ import annotations

from sqlalchemy import Column, Text, text

from aggregators.records.tables import instant, one_of, tenant

RESULTS = ("compliant", "partial", "non_compliant", "not_assessed", "not_applicable")

control_result = tenant(
    "control_result",
    Column("framework", Text),
    Column("control", Text),
    Column("asset", Text, server_default=text("''")),
    instant("assessed_at"),
    Column("result", Text, nullable=False),
    instant("valid_until"),
    one_of("result", RESULTS),
    key=("framework", "control", "asset", "assessed_at"),
)

framework_control = tenant(
    "framework_control",
    Column("framework", Text),
    Column("control", Text),
    Column("title", Text, nullable=False, server_default=text("''")),
    instant("set_up_at", nullable=False),
    key=("framework", "control"),
)
"""Controls of a framework that was set up: not assessed from then on, until something is told of them."""

asset_retirement = tenant(
    "asset_retirement",
    Column("asset", Text),
    Column("framework", Text, server_default=text("''")),
    instant("retired_at", nullable=False),
    key=("asset", "framework"),
)
"""Assets that were taken out of assessment; an empty framework stands for all of them."""

asset_absence = tenant(
    "asset_absence",
    Column("asset", Text),
    Column("framework", Text),
    instant("retired_at"),
    key=("asset", "framework", "retired_at"),
)
"""Assets that a list of all there is lacks, from its instant on. It follows from the lists and the results
(``ingest.lists.asset_lists``)."""
