"""How records are counted in an installation, as the queries of the domains take it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import counting_settings
from aggregators.chosen.changes import SettingChange, Steps, steps
from aggregators.chosen.names import ASSET_DAYS, POSTMORTEM_DAYS, REVIEW_DAYS, TIME_ZONE


@dataclass(frozen=True, slots=True)
class CountingRules:
    """Zone in which days begin and end; days between vendor reviews by tier, for a postmortem, and without
    a result after which an asset has left, as they change over the days."""

    time_zone: str = "UTC"
    review_days: Steps = field(
        default_factory=lambda: Steps((), (list(counting_settings.REVIEW_DAYS),))
    )
    postmortem_days: Steps = field(
        default_factory=lambda: Steps((), (counting_settings.POSTMORTEM_DAYS,))
    )
    asset_days: Steps = field(default_factory=lambda: Steps((), (counting_settings.ASSET_DAYS,)))

    @classmethod
    def of(
        cls,
        changes: Sequence[SettingChange],
        time_zone: str,
        review_days: Sequence[int],
        asset_days: int,
    ) -> CountingRules:
        """Rules by the organisation's changes, over what the environment gives."""
        zones = [change for change in changes if change.name == TIME_ZONE]
        newest = max(zones, key=lambda change: change.revision, default=None)
        return cls(
            newest.value if newest and newest.value else time_zone,
            steps(changes, REVIEW_DAYS, list(review_days)),
            steps(changes, POSTMORTEM_DAYS, counting_settings.POSTMORTEM_DAYS),
            steps(changes, ASSET_DAYS, asset_days),
        )

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Parameters of the domains' queries: a rule that changes is an array of days and one of values,
        which ``width_bucket`` finds the value of a day in."""
        return {
            "zone": self.time_zone,
            "cadence": [days for each in self.review_days.values for days in each],
            "cadence_since": list(self.review_days.since),
            "grace": list(self.postmortem_days.values),
            "grace_since": list(self.postmortem_days.since),
            "unseen": list(self.asset_days.values),
            "unseen_since": list(self.asset_days.since),
        }
