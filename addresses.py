"""Addresses that an operator gives: of databases, of servers for mail and news, of the installation itself.

Each function returns the address as it is used, or raises ValueError with words that go on after the
variable's name. None of them tells a part of the address: any part may be a password that was not escaped.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, parse_qsl, urlsplit

ESCAPES = "write @ : / ? # % within a user name or a password as %40 %3A %2F %3F %23 %25"
HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_.-]{1,253}(?<!-)\Z")
PLAIN = r"[^@\s\x00-\x1f\x7f,;:<>()\[\]\\\"]"
"""Any character but those by which a mail's header would hold more than one address."""
MAIL_ADDRESS = re.compile(rf"(?<!{PLAIN}){PLAIN}++@{PLAIN}++")
"""An address in whatever text. It begins where such characters do, and gives none of them back: from each
of its letters anew, a long word without an address would be searched for hours."""
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
POSTGRES = "takes a PostgreSQL URL such as postgresql://user@host/database"
MAIL = "takes smtp://[USER:PASSWORD@]HOST[:PORT] or smtps://HOST"
REDIS = "takes redis://[USER:PASSWORD@]HOST[:PORT][/NUMBER] or rediss://"
PROXY = "takes http://[USER:PASSWORD@]HOST[:PORT] or https://HOST"
WEB = "takes a web address such as https://vigilo.example.com"


def postgres(url: str) -> str:
    """The address of a database, in a role that it names."""
    parts = _split_url(url, ("postgresql", "postgresql+psycopg2", "postgres"), POSTGRES)
    options = _options(parts, POSTGRES)
    if not parts.username and not options.get("user"):
        raise ValueError(f"{POSTGRES}, with the role's name")
    if unknown := [name for name in options if not _is_libpqs(name)]:
        raise ValueError(f"{POSTGRES}; PostgreSQL knows no option {unknown[0]!r}")
    if (mode := options.get("sslmode")) is not None and mode not in SSL_MODES:
        raise ValueError(f"{POSTGRES}; sslmode is one of {', '.join(SSL_MODES)}")
    if "port" in options and not _is_port(options["port"]):
        raise ValueError(f"{POSTGRES}; the port is a number from 1 to 65535")
    return url


def mail_server(url: str) -> str:
    """The address of a mail server."""
    parts = _split_url(url, ("smtp", "smtps"), MAIL)
    options = _options(parts, MAIL)
    if not parts.hostname or parts.path.strip("/"):
        raise ValueError(MAIL)
    for name, value in options.items():
        if name == "tls" and value != "required":
            raise ValueError(f"{MAIL}; tls is required or left out")
        if name == "from" and not MAIL_ADDRESS.fullmatch(value):
            raise ValueError(f"{MAIL}; from is a mail address such as vigilo@example.com")
        if name not in ("tls", "from"):
            raise ValueError(f"{MAIL}; the options are tls and from")
    return url


def redis(url: str) -> str:
    """The address of a Redis and the number of a database there."""
    parts = _split_url(url, ("redis", "rediss"), REDIS)
    if not parts.hostname or not re.fullmatch(r"(/\d{0,4})?", parts.path):
        raise ValueError(REDIS)
    _options(parts, REDIS)
    return url


def web(url: str) -> str:
    """The address that people's browsers use: scheme, host and perhaps a port."""
    parts = _split_url(url.rstrip("/"), ("http", "https"), WEB)
    if not parts.hostname or parts.username is not None or not _is_host(parts.hostname):
        raise ValueError(WEB)
    if parts.path or parts.query or parts.fragment:
        raise ValueError(f"{WEB}, without a path: the pages stand at the root")
    return url.rstrip("/")


def host(name: str) -> str:
    """An address of this machine to serve on."""
    if not _is_host(name):
        raise ValueError("takes an address of this machine, such as 127.0.0.1, 0.0.0.0 or ::")
    return name


def host_of(url: str) -> str:
    """The host's name in an address; empty where there is none."""
    return urlsplit(url).hostname or ""


def proxy(url: str) -> str:
    """The address of a proxy for the web."""
    parts = _split_url(url, ("http", "https"), PROXY)
    if not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(PROXY)
    return url


def _split_url(url: str, schemes: tuple[str, ...], takes: str) -> SplitResult:
    """The parts, of which the port is a number and the host no leftover of a password."""
    if not url.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise ValueError(takes)
    if " " in url:
        raise ValueError(f"{takes}, without a space")
    try:
        parts = urlsplit(url)
        port, hostname = parts.port, parts.hostname
    except ValueError:
        raise ValueError(f"{takes}; the port is a number from 1 to 65535; {ESCAPES}") from None
    if port == 0:
        raise ValueError(f"{takes}; the port is a number from 1 to 65535")
    if parts.netloc.count("@") > 1 or "@" in parts.path or parts.fragment:
        raise ValueError(f"{takes}; {ESCAPES}")
    if hostname and not _is_host(hostname):
        raise ValueError(f"{takes}; the host is a name or an IP address")
    return parts


def _options(parts: SplitResult, takes: str) -> dict[str, str]:
    try:
        return dict(
            parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        )
    except ValueError:
        raise ValueError(f"{takes}; options are written ?name=value&name=value") from None


def _is_host(name: str) -> bool:
    """Whether it is an IP address or could be a name: the look-up itself is for whoever connects."""
    if ":" in name or re.fullmatch(r"[\d.]+", name):
        try:
            ipaddress.ip_address(name.partition("%")[0])
        except ValueError:
            return False
        return True
    return bool(HOST_NAME.match(name))


def _is_port(given: str) -> bool:
    return given.isascii() and given.isdigit() and 1 <= int(given) <= 65535


def _is_libpqs(option: str) -> bool:
    """Whether PostgreSQL's own library knows the option; asked only where one is given."""
    import psycopg2
    from psycopg2.extensions import parse_dsn

    if not re.fullmatch(r"\w+", option):
        return False
    try:
        parse_dsn(f"{option}=x")
    except psycopg2.ProgrammingError:
        return False
    return True


def without_people(words: str) -> str:
    """Words without the mail addresses in them: no log and no operator needs them."""
    return MAIL_ADDRESS.sub("(address)", words)
