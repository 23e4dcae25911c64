"""The key that signs cookies and seals what is kept of others' secrets, and the keys that it was before."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from settings import SHORTEST_KEY, Settings

if TYPE_CHECKING:
    from cryptography.fernet import Fernet, MultiFernet

CURRENT, FORMER = "secret-key", "secret-key-former"
"""Files of the data directory, where no key is set."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The key that signs and seals, and former ones, newest first, under which things still open."""

    current: str = field(repr=False)
    former: tuple[str, ...] = field(default=(), repr=False)

    @property
    def oldest_first(self) -> list[str]:
        """Every key as ``itsdangerous`` takes them: the last one signs."""
        return [*reversed(self.former), self.current]

    def box(self, purpose: str) -> MultiFernet:
        """Seals under the current key, opens under any: one purpose's seals are no other's."""
        from cryptography.fernet import MultiFernet

        return MultiFernet([_fernet(purpose, key) for key in (self.current, *self.former)])

    def newest_box(self, purpose: str) -> Fernet:
        """Opens what is sealed under the current key alone."""
        return _fernet(purpose, self.current)


def _fernet(purpose: str, key: str) -> Fernet:
    from cryptography.fernet import Fernet

    derived = hashlib.sha256(purpose.encode() + key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(derived))


def secret_keys(settings: Settings) -> Keys:
    """VIGILO_SECRET_KEY with VIGILO_SECRET_KEY_FORMER, or those of the data directory, where one is made
    once. Raises SystemExit with an external database and no key: several processes must share it, and may
    share no folder."""
    if settings.secret_key:
        return Keys(settings.secret_key, settings.secret_key_former)
    if settings.database_url:
        raise SystemExit(
            f"VIGILO_SECRET_KEY: needed with VIGILO_DATABASE_URL; takes at least {SHORTEST_KEY}"
            " random characters."
        )
    path = settings.data_dir / CURRENT
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, secrets.token_urlsafe(48))
    before = settings.data_dir / FORMER
    kept = _words(before) if before.exists() else []
    own = _words(path)
    if len(own) != 1 or len(own[0]) < SHORTEST_KEY:
        raise SystemExit(
            f"{path}: holds no key of at least {SHORTEST_KEY} characters on a line of its own. A backup has"
            " it as secret-key. Without it, remove the file: people sign in again, and senders' secrets are"
            " set anew."
        )
    return Keys(own[0], (*settings.secret_key_former, *kept))


def _words(path: Path) -> list[str]:
    """Keys of a file, one a line, however an editor has ended its lines or begun the file. Raises
    SystemExit."""
    try:
        return path.read_text(encoding="utf-8-sig").split()
    except ValueError as error:
        raise SystemExit(f"{path}: is no text in UTF-8; a backup has it as secret-key.") from error


def renew(settings: Settings) -> bool:
    """Makes a new key in the data directory and keeps the one before it; False, and nothing done, where
    the key is set by the operator."""
    if settings.secret_key or settings.database_url:
        return False
    keys = secret_keys(settings)
    _write(settings.data_dir / FORMER, "\n".join((keys.current, *keys.former)))
    _write(settings.data_dir / CURRENT, secrets.token_urlsafe(48))
    return True


def _write(path: Path, words: str) -> None:
    """The whole file or none of it, for its owner alone."""
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(words + "\n", encoding="utf-8")
    os.replace(draft, path)
