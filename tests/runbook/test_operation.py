"""docs/operation.md, typed from its beginning to its end on a PostgreSQL of its own."""

from __future__ import annotations

import pytest

from storage import embedded
from tests.deep import DEEP
from tests.runbook.blocks import blocks, run
from tests.served import ROOT
from tests.storage.clusters import PASSWORD, cluster

RUNBOOK = ROOT / "docs" / "operation.md"
BLOCKS = list(blocks(RUNBOOK))
PREPARED = """
printf 'slug,name,region,is_active,accent\\npayments,Payments,eu,true,\\n' > $ETC/workspaces.csv
vigilo records import workspaces $ETC/workspaces.csv
vigilo member grant you@example.com payments platform_admin
vigilo schedule run
mkdir -p $STATE/inbox
vigilo source add files place=$STATE/inbox --as you@example.com --workspace payments
export SOURCE=1 SOMEBODY=somebody@example.com
echo "$FIRST_PASSWORD" | vigilo user create $SOMEBODY --name "Somebody"
vigilo token create $SOMEBODY
export TOKEN=`vigilo token list $SOMEBODY | awk 'NR == 1 {print $1}'`
READ=".venv/bin/python -m tests.runbook.unreadable"
export PART=`( set -a; . $ETC/environment; . $ETC/environment.operator; exec $READ )`
"""
"""Things to look at when the alerts come: a source, a token, a delivery that could not be read."""


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


@pytest.mark.skipif(not DEEP, reason="deep")
def test_every_command_does_what_it_is_there_for(settings, server, tmp_path):
    """In one shell, as an operator would: each part goes on where the one before ended."""
    typed = "\n".join(
        f"{PREPARED if heading == 'VigiloDown' else ''}echo '# {heading}'\n{text}"
        for heading, language, text in BLOCKS
        if language == "sh"
    )
    typed = typed.replace("vigilo doctor\n", "vigilo doctor --no-address\n")  # nobody serves here
    user = (settings.data_dir / "postgres").owner()
    with cluster(embedded.programs(), user, prepared=False) as made:
        done = run(
            typed,
            {
                "PATH": f"{embedded.programs()}:/usr/bin:/bin",
                "PGHOST": "127.0.0.1",
                "PGPORT": str(made.port),
                "PGUSER": "postgres",
                "PGPASSWORD": PASSWORD,
                "AS": "env",  # the services' account is an administrator's to make: a block of text
                "ETC": str(tmp_path),
                "STATE": str(tmp_path / "state"),
                "FIRST_PASSWORD": "a long first password",
                "NEW_PASSWORD": "another-password",
                "NEW_SECRET": "another-secret",
            },
        )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-1500:]
    assert done.stdout.count("All is well.") == typed.count("vigilo doctor --no-address\n")
    for sentence in (
        "1 in quarantine",
        "1  files",
        "done: ",
        "opens nothing any more",
        "is deactivated",
    ):
        assert sentence in done.stdout, sentence
    assert "restored and compared" in done.stdout
