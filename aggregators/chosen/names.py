"""Names of the settings by which the organisation counts and is called, as they are kept. Apart from what
they may be: that knows every measure."""

from __future__ import annotations

SPRINT_DAYS, REVIEW_DAYS = "sprint_days", "review_days"
POSTMORTEM_DAYS, ASSET_DAYS, TIME_ZONE = "postmortem_days", "asset_days", "time_zone"
ORGANISATION_NAME = "org_name"
