"""Runs the few tests that failed beside others once more, alone: a browser, a server and a clock beside
three other test processes on two cores can be late. What fails again has failed; what passes is named.

Run in the folder of the project, after pytest has exited with 1; exits with 0 where all passed. An
argument names the folder in which that run of pytest kept what failed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

AT_MOST = 10
"""Tests that may be looked at again. More of them are no accident."""


def main(kept: str = ".pytest_cache") -> int:
    """Exit code of the second run; 1 where there is none."""
    last = Path(kept) / "v/cache/lastfailed"
    failed = sorted(json.loads(last.read_text())) if last.exists() else []
    if not 0 < len(failed) <= AT_MOST:
        print(f"{len(failed)} tests failed; at most {AT_MOST} are looked at again.", flush=True)
        return 1
    print("Once more, alone:", *failed, sep="\n  ", flush=True)
    pytest = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-o", f"cache_dir={kept}"]
    again = subprocess.run([*pytest, *failed], check=False)  # noqa: S603
    if again.returncode == 0:
        print("FAILED BESIDE OTHERS, PASSED ALONE (to be mended):", *failed, sep="\n  ", flush=True)
    return again.returncode


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
