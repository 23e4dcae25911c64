"""Variables of the environment that look like settings and are none."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping

from settings import PREFIX, Settings, variable

OF_OTHERS = (
    "VIGILO_ACCEPTANCE_DATA", "VIGILO_GIT_TOKEN", "VIGILO_PROMETHEUS_TOKEN", "VIGILO_PROMETHEUS_USER",
)  # fmt: skip
"""Variables of the Makefile and the tests, and of single commands, which the program passes over."""


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence about each variable that looks like a setting and is none."""
    known = [variable(field) for field in Settings.model_fields]
    ours = [name for name in environment if name.startswith(PREFIX)]
    unknown = sorted(set(ours).difference(known, OF_OTHERS))
    return [f"{name} is no setting and was not read{_like(name, known)}." for name in unknown]


def _like(name: str, names: list[str]) -> str:
    """Compared without the prefix, which is half of a short name."""
    ours = [k.removeprefix(PREFIX) for k in names if k.startswith(PREFIX)]
    near = difflib.get_close_matches(name.removeprefix(PREFIX), ours, 1)
    return f"; {PREFIX}{near[0]} is" if near else ""
