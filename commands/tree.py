"""Every command by name, with a sentence about each. Names and options are a contract."""

from __future__ import annotations

from commands.deferred import Deferred, group
from commands.operation.chosen import ANNOTATION, SETTING

DB = group(
    "db",
    "The database.",
    Deferred(
        "upgrade",
        "commands.database:upgrade",
        "Runs the migrations, as the owner; makes again the snapshots that they have marked.",
    ),
    Deferred(
        "revision",
        "commands.database:revise",
        "Writes the migration for what the domains declare and the database does not have, once that has"
        " run every migration that there is.",
    ),
    Deferred(
        "mend",
        "commands.database:mend",
        "Makes functions, triggers, policies, views, columns and constraints again that are not as the"
        " migrations made them, as the owner; says of each what it was.",
    ),
)
USER = group(
    "user",
    "Accounts.",
    Deferred(
        "create",
        "commands.people.accounts:create",
        "Creates an account; the password comes from standard input.",
    ),
    Deferred(
        "password",
        "commands.people.accounts:password",
        "Sets a password, from standard input, and ends every session of the account.",
    ),
    Deferred(
        "list",
        "commands.people.credentials:list_users",
        "Lists the accounts: address, name, whether they are let in, second factor, last seen.",
    ),
    Deferred(
        "deactivate",
        "commands.people.credentials:deactivate",
        "Lets an account in no longer; every session and token of it ends for good.",
    ),
    Deferred(
        "activate",
        "commands.people.credentials:activate",
        "Lets a deactivated account in again; its former sessions and tokens stay ended.",
    ),
    Deferred(
        "second-factor-off",
        "commands.people.credentials:second_factor_off",
        "Takes the second factor of an account away, for whoever lost their phone and their codes.",
    ),
    Deferred(
        "unlink",
        "commands.people.credentials:unlink",
        "Takes the links of an account to people at identity providers away; its sessions and tokens end.",
    ),
    Deferred(
        "sessions",
        "commands.people.credentials:sessions",
        "Lists the open sessions of an account, or ends them.",
    ),
)
MEMBER = group(
    "member",
    "Memberships.",
    Deferred("grant", "commands.people.accounts:grant", "Gives a role in a workspace."),
    Deferred("revoke", "commands.people.accounts:revoke", "Ends a membership at once."),
    Deferred(
        "invite",
        "commands.people.invitations:invite",
        "Invites an address into a workspace: a link that is good once and for a week, by mail.",
    ),
    Deferred(
        "invitations",
        "commands.people.invitations:list_invitations",
        "Lists the invitations that are open, of a workspace or of all: address, role, sender, end.",
    ),
    Deferred(
        "uninvite",
        "commands.people.invitations:uninvite",
        "Withdraws an invitation: its link opens nothing any more.",
    ),
)
TOKEN = group(
    "token",
    "API tokens.",
    Deferred("create", "commands.people.accounts:create_token", "Prints a new token, once."),
    Deferred(
        "list",
        "commands.people.credentials:list_tokens",
        "Lists the tokens that open something, of an account or of all: number, holder, scope, last use.",
    ),
    Deferred(
        "revoke",
        "commands.people.credentials:revoke",
        "Ends a token for good, by the number that ``token list`` shows.",
    ),
)
SECRETS = group(
    "secrets",
    "The installation's own key.",
    Deferred(
        "rotate",
        "commands.people.secrets:rotate",
        "Seals what is kept of others' secrets under the current key; makes that key, where none is set.",
    ),
)
EXPORT = group(
    "export",
    "The board pack.",
    Deferred(
        "pdf",
        "commands.exports:pdf",
        "Writes the pack to a file; it is noted as an export of that person.",
    ),
    Deferred("trace", "commands.exports:trace", "Says who exported a pack, when, for what."),
)
RECORDS = group(
    "records",
    "Operational records.",
    Deferred(
        "import",
        "commands.records:import_",
        "Import records of a KIND from FILEs; exit code 1 when any was rejected.",
    ),
    group(
        "scan",
        "Records that are asked for where they are.",
        Deferred(
            "certificates",
            "commands.records:scan_certificates",
            "Ask hosts over TLS for their certificates; exit code 1 when any did not answer.",
        ),
    ),
    group(
        "fetch",
        "Records that another system counts.",
        Deferred(
            "slo-days",
            "commands.records:fetch_slo_days",
            "Ask a Prometheus for each objective's good and total events a day.",
        ),
    ),
    group(
        "quarantine",
        "Parts of deliveries that could not be read.",
        Deferred(
            "list",
            "commands.desk.by_hand:list_quarantine",
            "Lists what could not be read, newest first.",
        ),
        Deferred(
            "show",
            "commands.desk.by_hand:show_quarantined",
            "Shows a part in quarantine, and what became of its delivery.",
        ),
        Deferred(
            "replay",
            "commands.desk.by_hand:replay",
            "Reads a delivery again, named by its id or by that of a part of it.",
        ),
        Deferred("drop", "commands.desk.by_hand:drop", "Takes a part out of quarantine for good."),
    ),
    Deferred(
        "correct",
        "commands.desk.by_hand:correct",
        "Sets fields of a record by hand; FIELD= takes back what is known.",
    ),
    Deferred("merge", "commands.desk.by_hand:merge", "Makes a record part of another, or no more."),
    Deferred("withdraw", "commands.desk.by_hand:withdraw", "Takes a record out of every figure."),
    Deferred(
        "restore",
        "commands.desk.by_hand:restore",
        "Takes a withdrawn record back into the figures.",
    ),
)
MAPPING = group(
    "mapping",
    "Meanings of senders' words.",
    Deferred(
        "list",
        "commands.desk.mapping:list_meanings",
        "Lists the words that were seen, their meanings, and where they fell.",
    ),
    Deferred(
        "set",
        "commands.desk.mapping:set_meaning",
        "Says what a WORD means; what holds it is folded anew, and its snapshots are made again.",
    ),
    Deferred("unset", "commands.desk.mapping:unset_meaning", "Takes a meaning back."),
)
SNAPSHOT = group(
    "snapshot",
    "End-of-day snapshots.",
    Deferred(
        "run",
        "commands.snapshot:run",
        "The snapshot of a day, recomputing the trailing 28 days.",
    ),
    Deferred("backfill", "commands.snapshot:backfill", "History from the records."),
)
SOURCE = group(
    "source",
    "Sources that are pulled.",
    Deferred(
        "kinds",
        "commands.desk.sources:list_kinds",
        "Lists what can be connected, with the settings of each.",
    ),
    Deferred(
        "add",
        "commands.desk.sources:add",
        "Connects a source of a KIND with SETTINGS as NAME=VALUE.",
    ),
    Deferred(
        "preview",
        "commands.desk.sources:look",
        "Says what a source would bring and what its history takes; keeps nothing.",
    ),
    Deferred("list", "commands.desk.sources:list_sources", "Lists the sources with their state."),
    Deferred(
        "show",
        "commands.desk.sources:show",
        "Shows a source: its settings, its parts, its last runs.",
    ),
    Deferred(
        "test", "commands.desk.sources:try_it", "Asks what the sync asks, once, and keeps nothing."
    ),
    Deferred(
        "sync", "commands.desk.sources:sync", "Syncs a source now; exit code 1 when that fails."
    ),
    Deferred(
        "map",
        "commands.desk.sources:map_rules",
        "Replaces the RULES of an organisation's source: PATTERN=WORKSPACE, the first match counts.",
    ),
    Deferred(
        "choose",
        "commands.desk.choosing:choose",
        "Says what the deployments of each PART are, or has them be a CHOICE.",
    ),
    Deferred(
        "secret",
        "commands.desk.sources:replace_secret",
        "Replaces the secret of a source, from standard input.",
    ),
    Deferred("pause", "commands.desk.sources:pause", "Pauses a source."),
    Deferred(
        "remove",
        "commands.desk.sources:remove",
        "Removes a source and its secret; what it wrote stays.",
    ),
)
SCHEDULE = group(
    "schedule",
    "Work by the clock.",
    Deferred(
        "run",
        "commands.schedule:run",
        "Does once what is due; for cron where VIGILO_SCHEDULER is false.",
    ),
    Deferred(
        "list", "commands.schedule:list_tasks", "Lists what is scheduled, and the last nights."
    ),
)
BACKUP = group(
    "backup",
    "Backups that prove themselves.",
    Deferred(
        "create",
        "commands.operation.backup:create",
        "Makes a backup with what is needed to restore it anywhere: rows, roles, policies, owners.",
    ),
    Deferred("list", "commands.operation.backup:list_", "Lists the backups, the oldest first."),
    Deferred(
        "verify",
        "commands.operation.backup:verify",
        "Proves that a BACKUP is as it was written; by default the latest. Exit code 1 where it is not.",
    ),
    Deferred(
        "restore",
        "commands.operation.backup:restore",
        "Restores a BACKUP (its name, its path, or latest) into the configured database, which is empty;"
        " then compares every count, policy, owner and snapshot with what was noted. Exit code 1 where one"
        " differs.",
    ),
)
DEMO = group(
    "demo",
    "A believable organisation.",
    Deferred(
        "load",
        "commands.demo:load",
        "Loads it into an empty database: records first, then snapshots.",
    ),
    Deferred(
        "real",
        "commands.demo:load_real",
        "Loads published records of open-source projects from FOLDER into an empty database.",
    ),
)
SIGNALS = group(
    "signals",
    "The nightly watch.",
    Deferred(
        "run",
        "commands.operation.signals:run",
        "The watch over a snapshot day that has been made; it follows each nightly snapshot by itself.",
    ),
    Deferred("list", "commands.operation.signals:list_", "Open signals by evidence."),
    Deferred(
        "calibrate",
        "commands.operation.signals:calibrate",
        "Thresholds from the installation's own history; made anew every 28 days by the nightly snapshot.",
    ),
)
AUDIT = group(
    "audit",
    "The log of who did what.",
    Deferred(
        "verify",
        "commands.operation.audit:verify",
        "Proves that no event of the audit was changed, taken out, put in or moved; exit code 1 where one"
        " was.",
    ),
    Deferred(
        "export",
        "commands.operation.audit:export_events",
        "Prints the events of the audit, the oldest first, one a line.",
    ),
)
DOCTOR = Deferred(
    "doctor",
    "commands.operation.doctor:doctor",
    "Looks at everything that may be wrong and says what to type; exit code 1 where anything is.",
)
SERVE = Deferred(
    "serve",
    "commands.serve:serve",
    "Serves; with the embedded database it migrates and loads the demo organisation first.",
)
WORKER = Deferred(
    "worker",
    "commands.exports:worker",
    "Makes exports and sends their mails until it is stopped; with VIGILO_REDIS_URL through Celery.",
)
FRAMEWORK = group(
    "framework",
    "Compliance frameworks of workspaces.",
    Deferred(
        "seed",
        "commands.frameworks:seed",
        "Sets a framework's controls up in a workspace, as not assessed; what is there stays as it is.",
    ),
    Deferred(
        "list",
        "commands.frameworks:list_frameworks",
        "Lists the frameworks of a workspace, or of all: controls set up, and those something was told of.",
    ),
)
COMMANDS = (
    DB,
    BACKUP,
    AUDIT,
    DOCTOR,
    SERVE,
    USER,
    MEMBER,
    TOKEN,
    SECRETS,
    EXPORT,
    WORKER,
    RECORDS,
    MAPPING,
    FRAMEWORK,
    SNAPSHOT,
    SOURCE,
    SCHEDULE,
    SIGNALS,
    SETTING,
    ANNOTATION,
    DEMO,
)
