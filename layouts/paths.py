"""Paths of the dashboard's pages, as patterns with one group: the workspace's slug."""

from __future__ import annotations

import re

from aggregators.catalogue import DOMAINS
from aggregators.vocabulary.fields import LONGEST_SLUG, SHORTEST_SLUG, SLUG_WORD

SLUG_GROUP = rf"((?=[^/]{{{SHORTEST_SLUG},{LONGEST_SLUG}}}/){SLUG_WORD})"
EXECUTIVE = re.compile(rf"/ws/{SLUG_GROUP}/platform/executive/?")
WORKSPACE_PAGES = {
    d.key: re.compile(re.escape(d.workspace_page).replace(r"\{slug\}", SLUG_GROUP) + "/?")
    for d in DOMAINS
}
"""Page of each domain in a workspace, by the domain's key."""
