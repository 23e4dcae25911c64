"""The table of faults in docs/assurance.md: those that were measured, and the tests that show each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MEASURED = HERE / "faults.json"
DATABASE, PROCESSES = "tests/faults/test_database.py", "tests/faults/test_processes.py"
FROZEN = "tests/faults/test_frozen.py"
BACKUP = "tests/commands/operation/test_backup.py"
SNAPSHOT, WORK = "tests/storage/snapshot", "tests/exports/work"

SHOWN_BY = {
    "PostgreSQL stopped (fast)": (f"{DATABASE}::test_postgresql_is_stopped_and_comes_back",),
    "PostgreSQL stopped (immediate)": (f"{DATABASE}::test_postgresql_is_stopped_and_comes_back",),
    "PostgreSQL behind pgbouncer stopped": (
        f"{DATABASE}::test_pgbouncer_is_as_quick_as_the_database",
    ),
    "PostgreSQL frozen (SIGSTOP)": (f"{FROZEN}::test_nobody_waits_long_for_a_frozen_server",),
    "PostgreSQL frozen (SIGSTOP), behind pgbouncer": (
        f"{FROZEN}::test_nobody_waits_long_for_a_frozen_server",
        "tests/storage/bounds/test_silence.py",
    ),
    "Every connection terminated": (f"{DATABASE}::test_every_connection_is_terminated",),
    "max_connections used up by others": (f"{DATABASE}::test_the_database_has_no_connection_left",),
    "Redis killed and back": ("tests/faults/test_redis.py::test_redis_is_killed_and_comes_back",),
    "gunicorn worker killed": (
        f"{PROCESSES}::test_a_killed_worker_is_replaced_and_the_other_serves_on",
    ),
    "HUP reload under load": (f"{PROCESSES}::test_a_reload_under_load_refuses_no_request",),
    "Cache filled with garbage": (
        f"{PROCESSES}::test_the_cache_is_filled_with_garbage_or_removed",
    ),
    "Cache removed": (f"{PROCESSES}::test_the_cache_is_filled_with_garbage_or_removed",),
    "Data directory full": (
        "tests/faults/test_disk.py::test_a_full_disk_fails_nothing_but_exports",
    ),
    "Data directory read-only": (
        "tests/faults/test_disk.py::test_a_read_only_disk_fails_nothing_but_exports",
    ),
    "Database's disk full, its log's too": (
        "tests/faults/test_full_database.py::test_a_full_disk_of_the_database_loses_nothing",
    ),
    "Database read-only": (
        "tests/faults/test_harm.py::test_a_database_that_takes_no_changes_shows_its_figures",
    ),
    "Rights of the web role taken away": (
        "tests/faults/test_harm.py::test_harm_to_the_database_is_seen_and_mended_by_what_is_told",
    ),
    "Body of a function replaced": (
        "tests/faults/test_harm.py::test_harm_to_the_database_is_seen_and_mended_by_what_is_told",
    ),
    "Trigger switched off": (
        "tests/faults/test_harm.py::test_harm_to_the_database_is_seen_and_mended_by_what_is_told",
    ),
    "Policy opened to everybody": (
        "tests/faults/test_harm.py::test_harm_to_the_database_is_seen_and_mended_by_what_is_told",
    ),
    "Owner of a function changed": (
        "tests/faults/test_harm.py::test_harm_to_the_database_is_seen_and_mended_by_what_is_told",
    ),
    "Every web process killed": (
        "tests/faults/test_harm.py::test_processes_that_are_all_killed_are_begun_again",
    ),
    "Secrets that no key opens": (
        "tests/faults/test_harm.py::test_a_secret_that_no_key_opens_is_told",
    ),
    "Keys rotated on two hosts": (
        "tests/runbook/test_whole_page.py::test_every_command_does_what_it_is_there_for",
    ),
}
"""Measured faults and the tests that break the thing."""
ALSO = {
    "Whoever makes exports SIGKILLed, with each combination of VIGILO_REDIS_URL and"
    " VIGILO_EXPORTS_IN_PROCESS": (f"{WORK}/test_killed_workers.py::test_every_export_arrives",),
    "Redis away, or nobody listening to it": (
        "tests/exports/test_apart.py::"
        "test_where_no_worker_of_celery_listens_a_serving_process_makes_the_export",
    ),
    "Mail server away for an hour": (
        f"{WORK}/test_mails.py::test_smtp_down_for_an_hour_and_back_every_mail_arrives_once",
    ),
    "Web process killed in mid-export": (f"{WORK}/test_restarted_web.py",),
    "Server gone in the middle of an answer": ("tests/storage/test_away.py",),
    "Snapshot killed at 50 moments, or run twice at once": (
        f"{SNAPSHOT}/test_killed.py",
        f"{SNAPSHOT}/test_runs_at_once.py",
        f"{SNAPSHOT}/test_broken_off.py",
    ),
    "Clock set back during a snapshot": (
        f"{SNAPSHOT}/test_broken_off.py::"
        "test_a_clock_that_was_set_back_does_not_end_a_run_that_was_broken_off",
    ),
    "Clock an hour from the database's": (
        "tests/web/health/test_checkup.py::test_a_clock_that_is_an_hour_off_is_found",
    ),
    "Days of 23, 24.5 and 25 hours in six zones, and 29 February": (
        f"{SNAPSHOT}/test_days_of_zones.py",
        "tests/scheduling/test_week.py::"
        "test_the_clock_fires_at_ten_past_midnight_on_days_of_23_and_25_hours",
    ),
    "A workspace with broken rows": (
        f"{SNAPSHOT}/test_job.py::"
        "test_a_broken_workspace_is_shown_as_unavailable_the_others_unaffected",
    ),
    "Any command without its database": ("tests/commands/test_tree.py",),
    "Any variable with a wrong value": ("tests/settings/test_settings_all_wrong.py",),
    "Delivery killed at any point": (
        "tests/ingest/door/test_deliveries.py::"
        "test_killed_at_any_point_every_accepted_delivery_is_there_exactly_once",
    ),
    "Database restored into an empty cluster": ("tests/storage/backup/test_both_ways.py",),
    "Certificate of the address, the mail server or the database that ends": (
        "tests/web/health/test_served.py::"
        "test_a_certificate_of_the_public_address_that_ends_is_found_before_and_after",
        "tests/web/health/test_served.py::test_a_certificate_of_the_mail_server_that_ends_is_found",
        "tests/web/health/test_served.py::test_a_certificate_of_the_database_that_ends_is_found",
    ),
    "Backup killed, or made while the clock is set back": (
        f"{BACKUP}::test_what_a_killed_backup_left_is_removed_by_the_next",
        f"{BACKUP}::test_a_clock_that_was_set_back_makes_no_backup_that_counts_as_an_old_one",
    ),
    "Commands at once over the embedded database, one of them killed": (
        "tests/storage/embedded/test_programs.py::test_it_stays_while_many_come_and_go",
        "tests/storage/embedded/test_programs.py::"
        "test_the_last_to_leave_ends_it_though_another_was_killed",
        "tests/scheduling/test_stopping.py::test_a_stop_is_quiet_whenever_it_comes",
    ),
    "A definition changed by hand, of each kind": (
        "tests/web/health/test_definitions.py::test_it_is_named_and_typing_what_is_told_mends_it",
    ),
    "A policy, an owner or a right changed by hand": (
        "tests/web/health/test_checkup.py::test_harm_to_the_structure_stops_serving",
        "tests/storage/backup/test_proof.py::test_whatever_is_not_as_it_was_is_told",
    ),
}
"""Faults that are shown without a time."""


def measured() -> dict[str, dict[str, Any]]:
    """Faults as the tests last noted them: what people saw, and seconds until all was well."""
    faults: dict[str, dict[str, Any]] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return faults


def table() -> str:
    """The section on faults."""
    seen = measured()
    lines = [
        "## Faults",
        "",
        "Each with the real thing broken: a server stopped, a process killed, a disk filled. Nothing was",
        "lost in any of them: the test compares figures, jobs and files before and after. Seconds are from",
        "the end of the fault until the same figures were answered again, on a machine of two cores",
        "(`RECORD_FAULTS=1 HYPOTHESIS_PROFILE=deep pytest tests/faults`).",
        "",
        "| fault | seen by people | seconds to recover | lost | shown by |",
        "|---|---|---|---|---|",
    ]
    for fault, tests in SHOWN_BY.items():
        if (row := seen.get(fault)) is not None:
            cells = fault, row["seen"], f"{row['seconds']:.1f}", "0", _named(tests)
            lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "| further fault | shown by |", "|---|---|"]
    lines += [f"| {fault} | {_named(tests)} |" for fault, tests in ALSO.items()]
    return "\n".join(lines) + "\n"


def _named(tests: tuple[str, ...]) -> str:
    return ", ".join(f"`{test.replace('::', '` `')}`" for test in tests)
