"""Problems of a source that a person can act on, each with a code and a sentence that says how."""

from __future__ import annotations

from datetime import datetime

CODES = {
    "token_invalid": "The sender does not take the secret: give it a new one.",
    "token_expires": "The secret expires soon: give a new one before.",
    "scope_missing": "The secret lacks a permission.",
    "sso_required": "The organisation takes a token only once it is authorised for its single sign-on:"
    " Configure SSO in the sender's list of tokens.",
    "not_found_or_hidden": "It is not there, or the secret may not see it.",
    "feature_off": "The sender has the feature turned off.",
    "rate_limited": "The sender's limit is reached; it goes on by itself.",
    "tls_untrusted": "The server's certificate is of no authority that is known here.",
    "unreachable": "Nothing answers at the address.",
    "proxy": "The proxy does not answer, or refuses: the operator sets it with VIGILO_SOURCE_PROXY.",
    "blocked_address": "The address may not be asked from here: this server itself and private networks"
    " need VIGILO_SOURCE_ALLOW, which the operator sets before the start.",
    "moved_elsewhere": "The sender points to another host, which is not followed.",
    "too_large": "An answer is larger than is read.",
    "changed_shape": "An answer is not what the sender's description says.",
    "mapping_missing": "Nothing of it is mapped to a workspace yet.",
    "setting": "A setting is missing or wrong.",
    "internal": "The program failed; its log has more.",
}
"""Codes of problems, with the sentence that stands where a problem has none of its own."""


class SourceProblem(Exception):
    """A source can not be read; the message says why and what repairs it. ``field`` is what is wrong of
    what somebody told of the source: ``name``, ``minutes``, or a setting as ``settings.NAME``; empty where
    it is no single one."""

    def __init__(self, code: str, sentence: str = "", field: str = "") -> None:
        super().__init__(sentence or CODES[code])
        self.code, self.field = code, field


class SourceWaits(SourceProblem):
    """The sender asks to come back later: the run ends and the next one goes on."""

    def __init__(self, until: datetime) -> None:
        super().__init__(
            "rate_limited", f"The sender's limit is reached until {until:%H:%M:%S} UTC."
        )
        self.until = until
