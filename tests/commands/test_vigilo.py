"""The command ``vigilo`` works from any folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_finds_the_program_from_elsewhere(tmp_path):
    made = (ROOT / "commands" / "vigilo.sh").read_text().replace("@ROOT@", str(ROOT))
    script = tmp_path / "vigilo"
    script.write_text(made)
    script.chmod(0o755)
    asked = [str(script), "framework", "--help"]
    answer = subprocess.run(
        asked, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert "seed" in answer.stdout
