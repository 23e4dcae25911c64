"""A real SMTP server's memory: what arrived."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage


class Postbox:
    """The handler of an aiosmtpd controller; ``refuses`` answers every mail with an error, ``refusals`` so
    many of them."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses = False
        self.refusals = 0

    async def handle_DATA(self, server, session, envelope):
        """Takes a mail."""
        if self.refuses:
            return "451 not now"
        if self.refusals:
            self.refusals -= 1
            return "451 not yet"
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"

    @property
    def ids(self) -> list[str]:
        """Message-IDs in the order of arrival."""
        return [str(mail["Message-ID"]) for mail in self.mails]
