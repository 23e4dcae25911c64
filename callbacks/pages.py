"""The paths of the pages, as patterns."""

from __future__ import annotations

import re

from aggregators.catalogue import DOMAINS

EXECUTIVE = re.compile(r"/ws/([a-z0-9-]{3,30})/platform/executive/?")
WORKSPACES = {
    d.key: re.compile(re.escape(d.workspace_page).replace(r"\{slug\}", "([a-z0-9-]{3,30})") + "/?")
    for d in DOMAINS
}
