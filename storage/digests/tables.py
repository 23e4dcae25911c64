"""Tables of digests. The web role reads and writes none of them: pages ask as the job, after the rights."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)

from aggregators.records.tables import instant, metadata, one_of

CHANNEL_KINDS = ("mail", "slack", "teams", "webhook")
DIGEST_CADENCES = ("nightly", "weekly")
DUE_STATES = ("queued", "sending")
NOTICE_STATES = (*DUE_STATES, "sent", "failed")
IS_DUE = f"state in {DUE_STATES}"

digest_channel = Table(
    "digest_channel",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("user_id", BigInteger, ForeignKey("app_user.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("address", LargeBinary),
    Column("hint", Text, nullable=False, server_default=text("''")),
    Column("secret", LargeBinary),
    Column("cadence", Text, nullable=False),
    Column("says_quiet", Boolean, nullable=False, server_default=text("false")),
    Column("begun_on", Date),
    Column("told_to", Date),
    Column("sent_on", Date),
    Column("reason", Text, nullable=False, server_default=text("''")),
    instant("made_at", nullable=False, now=True),
    one_of("kind", CHANNEL_KINDS),
    one_of("cadence", DIGEST_CADENCES),
)
"""A way by which a person gets the digest. ``address`` and ``secret`` are sealed. It begins after the
night ``begun_on`` and has been told up to ``told_to``; ``sent_on`` is the night of the last message, and
``reason`` says why the last one did not come."""
Index("digest_channel_user", digest_channel.c.user_id)
Index(
    "digest_channel_mail",
    digest_channel.c.user_id,
    unique=True,
    postgresql_where=text("kind = 'mail'"),
)

digest_notice = Table(
    "digest_notice",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column(
        "channel_id",
        BigInteger,
        ForeignKey("digest_channel.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'queued'")),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("unclear", Integer, nullable=False, server_default=text("0")),
    Column("error", Text, nullable=False, server_default=text("''")),
    instant("created_at", nullable=False, now=True),
    instant("next_at", nullable=False, now=True),
    instant("sent_at"),
    one_of("state", NOTICE_STATES),
)
"""A message to a webhook, byte for byte. ``unclear`` counts the attempts of which nobody knows whether they
arrived: a second one is the last."""
Index("digest_notice_channel", digest_notice.c.channel_id)
Index(
    "digest_notice_due",
    digest_notice.c.next_at,
    postgresql_where=text(IS_DUE),
)
