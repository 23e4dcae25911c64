"""Settings of sources: where they may ask, what they may read, whom they trust."""

from __future__ import annotations

import ipaddress
import re
import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

import addresses

PATTERN = re.compile(r"(?=.*[a-z])[a-z0-9*?._-]{1,253}", re.IGNORECASE)


def _places(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Networks and patterns of host names. Raises ValueError for what is neither."""
    for entry in entries:
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError as error:
            if not PATTERN.fullmatch(entry):
                raise ValueError(
                    f"takes networks and patterns of host names; {entry[:80]!r} is neither"
                ) from error
    return entries


def _folders(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Folders by their whole path. Raises ValueError for one that depends on where the program starts."""
    for path in paths:
        if not Path(path).is_absolute() or not path.isprintable():
            raise ValueError(
                f"takes whole paths of folders, that begin with a /; {path[:80]!r} is none"
            )
    return paths


def _authorities(file: Path | None) -> Path | None:
    """A file of certificates. Raises ValueError where it can not be read or holds none."""
    if file is not None:
        try:
            ssl.create_default_context(cafile=str(file))
        except (OSError, ValueError) as error:
            raise ValueError(
                f"takes a readable file of certificates in PEM: {getattr(error, 'strerror', None) or error}"
            ) from error
    return file


def _proxy(url: str | None) -> str | None:
    """A proxy's address. Raises ValueError."""
    return None if url is None else addresses.proxy(url)


Places = Annotated[tuple[str, ...], AfterValidator(_places)]
Folders = Annotated[tuple[str, ...], AfterValidator(_folders)]
Authorities = Annotated[Path | None, AfterValidator(_authorities)]
Proxy = Annotated[str | None, AfterValidator(_proxy)]
