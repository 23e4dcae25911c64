"""Commands of what people choose and note, by name."""

from __future__ import annotations

from commands.deferred import Deferred, group

SETTING = group(
    "setting",
    "What the organisation and its workspaces choose.",
    Deferred(
        "list",
        "commands.operation.settings:list_settings",
        "Lists the settings: what holds, whose it is, since when, and what would hold without it.",
    ),
    Deferred(
        "set",
        "commands.operation.settings:set_setting",
        "Sets a setting from a day on: a target (12.5 for 12.5 %, 4 h, 3), or how the organisation counts.",
    ),
    Deferred(
        "unset",
        "commands.operation.settings:unset_setting",
        "Takes a setting back from a day on.",
    ),
    Deferred(
        "history",
        "commands.operation.settings:history",
        "Lists every change of a setting, the newest first.",
    ),
)
ANNOTATION = group(
    "annotation",
    "Notes of people on days.",
    Deferred(
        "list",
        "commands.operation.annotations:list_annotations",
        "Lists the annotations that stand, the organisation's and every workspace's, by day.",
    ),
    Deferred(
        "add",
        "commands.operation.annotations:add",
        "Notes what happened from FIRST_DAY on; it is marked on the charts of those days.",
    ),
    Deferred(
        "edit",
        "commands.operation.annotations:edit",
        "Changes an annotation, by the id that ``annotation list`` shows.",
    ),
    Deferred(
        "withdraw",
        "commands.operation.annotations:withdraw",
        "Withdraws an annotation, by the id that ``annotation list`` shows.",
    ),
)
