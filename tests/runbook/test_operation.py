"""docs/operation.md, typed from its beginning to its end on a PostgreSQL of its own."""

from __future__ import annotations

from tests.runbook.blocks import blocks
from tests.served import ROOT

RUNBOOK = ROOT / "docs" / "operation.md"
BLOCKS = list(blocks(RUNBOOK))


def test_every_block_says_whether_it_is_run():
    assert {language for _, language, _ in BLOCKS} <= {"sh", "text", "json"}
    assert sum(language == "sh" for _, language, _ in BLOCKS) > 10


def test_every_alert_has_its_part_of_the_runbook():
    alerts = (ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text(encoding="utf-8")
    names = [line.split()[-1] for line in alerts.splitlines() if "- alert:" in line]
    text = RUNBOOK.read_text(encoding="utf-8")
    assert names
    for name in names:
        assert f"### {name}\n" in text
        assert f"docs/operation.md#{name.lower()}" in alerts


def test_every_alert_says_what_to_type_in_a_block_that_is_run():
    text = RUNBOOK.read_text(encoding="utf-8")
    for part in text.split("\n### Vigilo")[1:]:
        assert "\n```sh\n" in part, part[:40]
