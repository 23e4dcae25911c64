"""Guard of addresses that people give: what may be asked from this server, and at which checked address.

A name is resolved once and every address of it is checked; the connection then goes to a checked address.
So neither an odd spelling of loopback nor a name that changes its mind leads into the server's network.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ingest.pulling.problems import SourceProblem

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], list[str]]
LEAST_PORT, WEB_PORTS = 1024, (80, 443)
NEVER = tuple(
    ipaddress.ip_network(each)
    for each in (
        "169.254.0.0/16", "fe80::/10", "fec0::/10", "fd00:ec2::254/128", "168.63.129.16/32",
        "192.0.0.192/32", "0.0.0.0/8", "::/128",
    )
)  # fmt: skip
"""Link-local and site-local addresses, the clouds' own within every machine (metadata, Azure's wire server,
Oracle's), and addresses that name no host."""
OWN_NAMES = (".localhost", ".localhost.localdomain", ".ip6-localhost", ".ip6-loopback")
NEVER_NAMES = (
    "metadata",
    "metadata.google.internal",
    "instance-data",
    "instance-data.ec2.internal",
)
"""Names by which a machine is itself, and clouds' names of their metadata: a proxy would resolve them."""
TRANSLATED = tuple(
    ipaddress.ip_network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96")
)
"""Addresses of IPv6 whose end is one of IPv4: NAT64 (RFC 6052), that of a network (RFC 8215), SIIT (RFC
2765)."""


class Target(NamedTuple):
    """A checked place to ask: the name for TLS and the Host header, the address to connect to, and the
    others that the name has, should nobody answer there."""

    scheme: str
    host: str
    port: int
    ip: str
    others: tuple[str, ...] = ()


def resolve_host(host: str, port: int) -> list[str]:
    """Addresses of a name. Raises OSError."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


def plain_address(address: Ip) -> Ip:
    """The address of IPv4 within one of IPv6 that only wraps it: mapped, compatible, 6to4,
    translated."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    number = int(address)
    if any(address in each for each in TRANSLATED) or 1 < number < 2**32:
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    return address


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Rules of one installation: networks and names that the operator allows beside the public ones, and
    addresses that are never asked, such as the database's own."""

    networks: tuple[Network, ...] = ()
    names: tuple[str, ...] = ()
    refused: tuple[tuple[str, int], ...] = ()
    resolve: Resolve = resolve_host

    @classmethod
    def of(cls, allowed: Sequence[str], refused: Sequence[tuple[str, int]] = ()) -> AddressGuard:
        """From the operator's list of networks and patterns of names."""
        networks, names = [], []
        for entry in allowed:
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                names.append(entry.lower())
        return cls(tuple(networks), tuple(names), tuple(refused))

    def target(self, url: str) -> Target:
        """The checked place of a URL. Raises SourceProblem."""
        return self.host(*_host_port_scheme(url))

    def check_proxied(self, url: str) -> None:
        """Checks a URL whose name a proxy resolves: its form, its port, an address that stands in it in any
        spelling, and names that are the proxy's own machine or a cloud's. Raises SourceProblem."""
        host, port, _ = _host_port_scheme(url)
        _check_port(port)
        name = host.rstrip(".").lower()
        if name in NEVER_NAMES:
            raise SourceProblem("blocked_address", f"{host[:80]} is a cloud's own.")
        address = "127.0.0.1" if f".{name}".endswith(OWN_NAMES) else _spelt(name)
        if address is not None:
            self._check(host, address, port)

    def host(self, host: str, port: int, scheme: str = "tls") -> Target:
        """The checked place of a host and port. Raises SourceProblem."""
        _check_port(port)
        try:
            addresses = self.resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise SourceProblem("unreachable", f"There is no host {host[:80]!r}.") from error
        for address in addresses:
            self._check(host, address, port)
        if not addresses:
            raise SourceProblem("unreachable", f"There is no host {host[:80]!r}.")
        return Target(scheme, host, port, addresses[0], tuple(addresses[1:]))

    def _check(self, host: str, address: str, port: int) -> None:
        given_ip = ipaddress.ip_address(address.partition("%")[0])
        ip = plain_address(given_ip)
        named = any(fnmatch(host.lower(), pattern) for pattern in self.names)
        listed = any(_is_within(ip, network) for network in self.networks)
        if any(_is_within(ip, network) for network in NEVER) or ip.is_multicast:
            wrong = "is link-local, or no host's"
        elif (address, port) in self.refused or (host, port) in self.refused:
            wrong = "is this program's own database"
        elif ip.is_loopback and not listed:
            wrong = f"is this server itself{_allowing_setting(ip)}"
        elif not ip.is_global and not (listed or named):
            wrong = f"is private{_allowing_setting(ip)}"
        else:
            return
        raise SourceProblem("blocked_address", f"{host[:80]} ({given_ip}) {wrong}.")


def _host_port_scheme(url: str) -> tuple[str, int, str]:
    """Host, port and scheme of a URL. Raises SourceProblem."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SourceProblem("blocked_address", f"{url[:80]!r} is no address.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SourceProblem("blocked_address", "An address begins with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise SourceProblem("blocked_address", "An address has no user and no password in it.")
    return parts.hostname, port or (443 if parts.scheme == "https" else 80), parts.scheme


def _check_port(port: int) -> None:
    if port not in WEB_PORTS and port < LEAST_PORT:
        raise SourceProblem("blocked_address", f"Port {port} is none that sources are asked at.")


def _spelt(host: str) -> str | None:
    """The address that a host is, be it short, octal, hexadecimal or one number; None for a name."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def _allowing_setting(ip: Ip) -> str:
    """Setting that allows an address, as the operator types it."""
    return f"; the operator of this installation allows it with VIGILO_SOURCE_ALLOW='[\"{ip}\"]'"


def _is_within(ip: Ip, network: Any) -> bool:
    """Whether an address lies in a network, of its own version alone."""
    return ip.version == network.version and ip in network
