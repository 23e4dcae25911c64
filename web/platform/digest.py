"""Page of one's digests: where they go and how often; and the way out of one for a mail's reader."""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, redirect, render_template, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Engine
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from auth.accounts import Account
from auth.secret_key import Keys, secret_keys
from exports.digest import due, sending, stopping
from exports.digest.message import DIGESTS
from exports.digest.news import signals_of
from ingest.pulling.problems import SourceProblem
from settings import Settings
from storage.database import Database
from storage.digests import channels, notices
from storage.digests.channels import DigestChannel, NewChannel, TooManyChannels
from storage.scheduled import nights
from web.forms import PageForm
from web.operation import Json, Operation, Outcome, add_routes
from web.platform.rights import platform_admin
from web.problem import Problem

KINDS = {"mail": "Mail", "slack": "Slack", "teams": "Microsoft Teams", "webhook": "Webhook, signed"}
CADENCES = {"nightly": "After each night", "weekly": "Once a week, on Monday"}
SECRET_BYTES = 32
WAITS = "A message to it waits already."
ENDED = "This digest has ended; nothing more comes of it."


class ChannelForm(PageForm):
    """A new way to get the digest."""

    kind = SelectField("To", choices=list(KINDS.items()))
    address = StringField("Address of the incoming webhook", [Length(max=2000)])
    cadence = SelectField("How often", choices=list(CADENCES.items()))
    says_quiet = BooleanField("Say so once a week when nothing is new")


class ChannelAction(PageForm):
    """A test of a digest, or its removal."""

    action = SelectField("What to do", [InputRequired()], choices=["test", "remove"])


class StopForm(PageForm):
    """The end of a digest; nothing is to be chosen."""


HTML = {200: Outcome("The page", "text/html")}
BACK = {303: Outcome("Done, or what is wrong is said on the page", headers=("Location",))}
ID: dict[str, Json] = {"channel_id": {"type": "integer", "minimum": 0}}
NO_LINK = {404: Outcome("The link is none of ours", "text/html\napplication/problem+json")}
TOKEN: dict[str, Json] = {
    "token": {"type": "string", "pattern": "^[A-Za-z0-9_.-]+$", "maxLength": 200}
}
PAGE = Operation(
    "digestPage", "Page of one's own digests, for platform admins", HTML, problems=(403,)
)
ADD = Operation(
    "addDigest",
    "Have the digest of new signals sent: by mail, to Slack, to Microsoft Teams or to a signed webhook",
    {
        200: Outcome(
            "The page, with the webhook's secret, shown once, or with what is wrong with the address",
            "text/html",
        )
    }
    | BACK,
    form=ChannelForm,
    problems=(403,),
)
ACT = Operation(
    "actOnDigest",
    "Send a test, or remove the digest",
    BACK,
    form=ChannelAction,
    path=ID,
    problems=(403, 404, 422),
)
STOP_PAGE = Operation(
    "stopDigestPage",
    "Page that ends a digest by mail, without signing in",
    HTML | NO_LINK,
    path=TOKEN,
    security=(),
)
STOP = Operation(
    "stopDigest",
    "End a digest by mail, without signing in",
    HTML | NO_LINK,
    form=StopForm,
    path=TOKEN,
    security=(),
)


def blueprint(
    engine: Callable[[], Engine],
    database: Callable[[], Database],
    settings: Settings,
    wake: Callable[[str], None],
) -> Blueprint:
    """The pages. ``wake`` has a task of the clock begun at once."""
    made = Blueprint("digest", __name__)
    pages = DigestPages(engine, database, settings, wake)
    stop = f"{stopping.PATH}<token>"
    routes = (
        (DIGESTS, "page", PAGE, "GET"),
        (DIGESTS, "add", ADD, "POST"),
        (f"{DIGESTS}/<int:channel_id>", "act", ACT, "POST"),
        (stop, "stop_page", STOP_PAGE, "GET"),
        (stop, "stop", STOP, "POST"),
    )
    add_routes(made, pages, routes)
    return made


@dataclass(frozen=True, slots=True)
class DigestPages:
    """Views of the pages."""

    engine: Callable[[], Engine]
    database: Callable[[], Database]
    settings: Settings
    wake: Callable[[str], None]

    @property
    def _keys(self) -> Keys:
        return secret_keys(self.settings)

    def page(self) -> ResponseReturnValue:
        """Digests of the reader, and the form of a new one."""
        platform_admin(self.engine(), current_user)
        return self._page()

    def _page(self, typed: ChannelForm | None = None, wrong: str = "", **shown_once: Any) -> str:
        with self.database().job.connect() as connection:
            mine = channels.all_channels(connection, current_user.id)
        return render_template(
            "digest.html",
            channels=mine,
            kinds=KINDS,
            cadences=CADENCES,
            form=typed or ChannelForm(formdata=None),
            wrong=wrong,
            email=current_user.email,
            mails_are_sent=bool(self.settings.smtp_url),
            outcome=session.pop("digest_outcome", None),
            **shown_once,
        )

    def add(self) -> ResponseReturnValue:
        """Makes one; a webhook's secret is shown once."""
        platform_admin(self.engine(), current_user)
        form, person = ChannelForm(), g.account
        if not form.validate():
            return _back_to_digests("error", "Choose where to, and how often.")
        secret = secrets.token_bytes(SECRET_BYTES) if form.kind.data == "webhook" else None
        try:
            new = self._new(form, person, secret)
            channels.add(self.database().job, person.id, person.email, new)
        except SourceProblem as error:
            return self._page(form, str(error))
        except TooManyChannels as error:
            return _back_to_digests("error", str(error))
        if secret is not None:
            return self._page(secret=f"whsec_{base64.b64encode(secret).decode()}")
        return _back_to_digests("ok", "It begins with the next night.")

    def _new(self, form: ChannelForm, person: Account, secret: bytes | None) -> NewChannel:
        """The channel of a form. Raises SourceProblem for an address that may not be asked."""
        kind, url = form.kind.data, (form.address.data or "").strip()
        cadence, says_quiet = form.cadence.data, bool(form.says_quiet.data)
        if kind == "mail":
            return NewChannel(kind, cadence, says_quiet, hint=person.email)
        host = sending.check(self.database(), self.settings, url)
        box = self._keys.box(sending.PURPOSE)
        sealed = box.encrypt(secret) if secret else None
        return NewChannel(kind, cadence, says_quiet, box.encrypt(url.encode()), host, sealed)

    def act(self, channel_id: int) -> ResponseReturnValue:
        """Sends a test, or removes one."""
        platform_admin(self.engine(), current_user)
        jobs = self.database().job
        with jobs.connect() as connection:
            mine = channels.all_channels(connection, current_user.id)
        channel = next((c for c in mine if c.id == channel_id), None)
        if channel is None:
            raise Problem(404)
        form = ChannelAction()
        if not form.validate():
            raise Problem(422, "Choose test or remove.")
        if form.action.data == "remove":
            channels.remove(jobs, channel_id, current_user.id, "its owner")
            return _back_to_digests("ok", "Removed; nothing more goes there.")
        return _back_to_digests(*self._queue_test(channel))

    def _queue_test(self, channel: DigestChannel) -> tuple[str, str]:
        """Queues the digest of the last night as it would be; what to say."""
        database = self.database()
        with database.job.connect() as connection:
            night = channels.watched_night(connection) or nights.due_day(self.settings.now())
            if notices.waits(connection, channel.id):
                return "error", WAITS
        news = signals_of(database, current_user.viewer, night, self.settings).since(None)
        with database.job.begin() as connection:
            due.queue_message(connection, self.settings, channel, news, uuid.uuid4())
        self.wake("messages")
        return "ok", f"A test is on its way to {channel.hint}."

    def stop_page(self, token: str) -> ResponseReturnValue:
        """Asks before anything ends: programs that look at mails open their links."""
        if stopping.channel_of(self._keys, token) is None:
            raise Problem(404)
        return render_template("digest_stop.html", token=token, done=False)

    def stop(self, token: str) -> ResponseReturnValue:
        """Ends it, a second time as well: also for a mail program's own button, which sends no token of
        ours."""
        channel_id = stopping.channel_of(self._keys, token)
        if channel_id is None:
            raise Problem(404)
        channels.remove(self.database().job, channel_id, None, "the link in a mail")
        return render_template("digest_stop.html", token=token, done=True)


def _back_to_digests(kind: str, words: str) -> ResponseReturnValue:
    """The way back to the page of digests, where the outcome is told."""
    session["digest_outcome"] = (kind, words)
    return redirect(DIGESTS, 303)
