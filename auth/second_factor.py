"""A second factor for accounts with a password: codes of an authenticator app, and recovery codes.

The secret is kept sealed under VIGILO_SECRET_KEY, the recovery codes hashed. A code opens once: the step of
the last one that was taken is kept, and no earlier one is taken again. All of it as the job role.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
from cryptography.fernet import InvalidToken
from sqlalchemy import Connection, Engine, text

from auth.accounts import AccountError
from auth.secret_key import Keys
from storage import audit
from storage.viewer import Viewer

PURPOSE = "vigilo second factors"
STEP_SECONDS, DRIFT = 30, 1
"""Steps before and after the present one that are taken: clocks of phones differ."""
CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
WRONG = "That code is not right, or was used already."


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret that is not in force yet: as text, and as the address that an app reads from a picture."""

    secret: str
    address: str


def is_on(engine: Engine, user_id: int) -> bool:
    """Whether the account asks for a second factor."""
    query = text("select totp_confirmed_at is not null from app_user where id = :id")
    with engine.connect() as connection:
        return bool(connection.execute(query, {"id": user_id}).scalar())


def enrol(engine: Engine, keys: Keys, viewer: Viewer, organisation: str) -> Enrolment:
    """A secret for the person; it is in force once a code of it is shown. Raises AccountError where one
    is in force already."""
    secret = pyotp.random_base32()
    with engine.begin() as connection:
        made = connection.execute(
            text(
                "update app_user set totp_secret = :sealed, totp_step = 0"
                " where id = :id and totp_confirmed_at is null"
            ),
            {"sealed": keys.box(PURPOSE).encrypt(secret.encode()), "id": viewer.user_id},
        ).rowcount
    if not made:
        raise AccountError("A second factor is on already.")
    address = pyotp.TOTP(secret).provisioning_uri(name=viewer.email, issuer_name=organisation)
    return Enrolment(secret, address)


def confirm(engine: Engine, keys: Keys, viewer: Viewer, code: str, now: datetime) -> list[str]:
    """Puts the secret in force that the code is of; the recovery codes. Raises AccountError."""
    with engine.begin() as connection:
        _take(connection, keys, viewer.user_id, code, now)
        connection.execute(
            text("update app_user set totp_confirmed_at = now() where id = :id"),
            {"id": viewer.user_id},
        )
        audit.record(connection, viewer.email, "user.second_factor", viewer.email, {"is_on": True})
        return _new_recovery_codes(connection, viewer.user_id)


def renew_codes(engine: Engine, viewer: Viewer) -> list[str]:
    """New recovery codes; the former ones open nothing."""
    with engine.begin() as connection:
        audit.record(connection, viewer.email, "user.recovery_codes", viewer.email, {})
        return _new_recovery_codes(connection, viewer.user_id)


def switch_off(engine: Engine, user_id: int, actor: str) -> None:
    """Takes the second factor away, and its recovery codes."""
    with engine.begin() as connection:
        connection.execute(
            text("update app_user set totp_secret = null, totp_confirmed_at = null where id = :id"),
            {"id": user_id},
        )
        connection.execute(text("delete from recovery_code where user_id = :id"), {"id": user_id})
        audit.record(connection, actor, "user.second_factor", str(user_id), {"is_on": False})


def check(engine: Engine, keys: Keys, user_id: int, code: str, now: datetime) -> None:
    """Takes a code of the app, or a recovery code, once. Raises AccountError."""
    with engine.begin() as connection:
        if not _use_recovery_code(connection, user_id, code):
            _take(connection, keys, user_id, code, now)


def _take(connection: Connection, keys: Keys, user_id: int, code: str, now: datetime) -> None:
    """Takes a code of the app. The row is locked: of two requests with one code, one is refused."""
    row = connection.execute(
        text("select totp_secret, totp_step from app_user where id = :id for update"),
        {"id": user_id},
    ).first()
    if row is None or row.totp_secret is None:
        raise AccountError(WRONG)
    try:
        secret = keys.box(PURPOSE).decrypt(bytes(row.totp_secret)).decode()
    except InvalidToken as error:
        raise AccountError(
            "Your second factor can not be read any more. Ask an operator to switch it off."
        ) from error
    step = _step(pyotp.TOTP(secret), code.replace(" ", ""), now)
    if step is None or step <= row.totp_step:
        raise AccountError(WRONG)
    connection.execute(
        text("update app_user set totp_step = :step where id = :id"), {"step": step, "id": user_id}
    )


def _step(totp: pyotp.TOTP, code: str, now: datetime) -> int | None:
    """The step that a code is of, near the present one."""
    present = int(now.timestamp()) // STEP_SECONDS
    for step in range(present - DRIFT, present + DRIFT + 1):
        if secrets.compare_digest(totp.at(step * STEP_SECONDS).encode(), code.encode()):
            return step
    return None


def _use_recovery_code(connection: Connection, user_id: int, code: str) -> bool:
    """Uses a recovery code up; False where it is none, or was used."""
    used = connection.execute(
        text(
            "update recovery_code set used_at = now()"
            " where user_id = :id and code_hash = :hash and used_at is null"
        ),
        {"id": user_id, "hash": _hash(code)},
    ).rowcount
    return bool(used)


def _new_recovery_codes(connection: Connection, user_id: int) -> list[str]:
    """New recovery codes in place of the former ones; shown once, kept as hashes."""
    codes = ["-".join(_word() for _ in range(3)) for _ in range(CODES)]
    connection.execute(text("delete from recovery_code where user_id = :id"), {"id": user_id})
    connection.execute(
        text("insert into recovery_code (user_id, code_hash) values (:id, :hash)"),
        [{"id": user_id, "hash": _hash(code)} for code in codes],
    )
    return codes


def _word() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(5))


def _hash(code: str) -> bytes:
    """Hash of a recovery code: 74 random bits, which need no slow one."""
    return hashlib.sha256(code.strip().lower().encode()).digest()
