"""Members as those who manage a workspace add them: colleagues at once, everybody else by a mailed link.

A colleague is somebody who shares a workspace that the asker manages, and whose account they so know of. To
every other address the answer is one and the same, whether or not there is an account.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from aggregators.vocabulary import formats
from auth import granting, membership
from auth.accounts import AccountError
from auth.granting import MembershipAction
from auth.joining import invitations
from auth.joining.invitations import Invitation
from auth.membership import NotAllowed
from exports import mail
from settings import Settings

PATH = "/invitation/"
COLLEAGUE = text("select vigilo.colleague(:asker, :email) is not null")


@dataclass(frozen=True, slots=True)
class Inviting:
    """Somebody at the door of a workspace that they manage: ``asker`` is their id and address, None for an
    operator."""

    jobs: Engine
    settings: Settings
    workspace: tuple[int, str]
    asker: tuple[int, str] | None = None

    def add(self, email: str, role: str | None) -> str:
        """Adds a colleague, invites anybody else; says what was done. Raises NotAllowed."""
        if self.asker is not None and self._is_colleague(self.asker[0], email):
            what = MembershipAction.ADD
            return granting.change(self.jobs, self.workspace, what, email, role, asker=self.asker)
        return self.invite(email, role)

    def invite(self, email: str, role: str | None) -> str:
        """Mails an invitation; says so. Raises NotAllowed."""
        self._send(email, role or "", self._post)
        return f"{email} is invited: a link that is good for a week goes to them by mail."

    def again(self, email: str) -> str:
        """Sends an invitation anew; the former link opens nothing any more. Raises NotAllowed."""
        return self.invite(email, invitations.role_offered(self.jobs, self.workspace[0], email))

    def withdraw(self, email: str) -> str:
        """Ends an invitation; says so. Raises NotAllowed."""
        invitations.withdraw(self.jobs, self.workspace, email, asker=self.asker)
        return f"The invitation of {email} is withdrawn."

    def link(self, email: str, role: str) -> str:
        """Makes an invitation without a mail: its link. Raises NotAllowed."""
        tokens: list[str] = []
        self._send(email, role, lambda _connection, _made, token: tokens.append(token))
        return self._address(tokens[0])

    def _send(self, email: str, role: str, post: invitations.Post) -> None:
        try:
            invitations.send(self.jobs, self.workspace, email, role, post, asker=self.asker)
        except AccountError as error:
            raise NotAllowed(str(error)) from error

    def _is_colleague(self, asker: int, email: str) -> bool:
        with self.jobs.connect() as connection:
            who = {"asker": asker, "email": email}
            return bool(connection.execute(COLLEAGUE, who).scalar_one())

    def _post(self, connection: Connection, made: Invitation, token: str) -> None:
        """The mail, queued with what it tells of."""
        organisation, name = self.settings.organisation, made.workspace_name
        until = formats.day(made.expires_at.astimezone(self.settings.zone).date())
        by = "An operator" if self.asker is None else self.asker[1]
        lines = [
            f"{by} invites you to {name}, as {membership.in_words(made.role)}, in the executive"
            f" dashboard of {organisation}.",
            f"The link is yours alone, and good once, until {until}. If you did not expect this mail, you"
            " need do nothing.",
        ]
        subject = f"{organisation}: you are invited to {name}"
        mail.post(connection, made.id, made.email, subject, lines, self._address(token))

    def _address(self, token: str) -> str:
        return f"{self.settings.address}{PATH}{token}"
