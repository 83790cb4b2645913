"""What leaves out, or cuts, what tells who somebody is, before an event leaves the process.

Names are compared without case and without what is neither letter nor digit: `clientIp`, `client-ip` and `client_ip`
are one name. Both rules reach into lists and dicts.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Union

IP_NAMES: FrozenSet[str] = frozenset((
    "ip", "ipaddr", "ipaddress", "ipv4", "ipv6", "clientip", "clientaddress", "userip", "remoteip", "remoteaddr",
    "remoteaddress", "forwardedfor", "xforwardedfor", "xrealip"))
IDENTITY_NAMES: FrozenSet[str] = IP_NAMES | frozenset((
    "userid", "distinctid", "anonymousid", "customerid", "accountid", "sessionid", "deviceid", "advertisingid",
    "idfa", "idfv", "cookieid", "visitorid", "clientid", "email", "emailaddress", "mail", "phone", "phonenumber",
    "firstname", "lastname", "fullname", "username", "login", "address", "street", "latitude", "longitude", "lat",
    "lon", "lng", "coordinates"))

_SEPARATORS = re.compile(r"[^a-z0-9]")
_LEFT_OUT = object()
_Rule = Callable[[str, Any], Any]


def without_identity(values: Optional[Mapping[str, Any]], ids: FrozenSet[str]) -> Optional[Dict[str, Any]]:
    """A copy without values under `IDENTITY_NAMES`, texts that are IP addresses, and texts that equal one of `ids`."""

    def rule(name: str, value: Any) -> Any:
        if _plain(name) in IDENTITY_NAMES:
            return _LEFT_OUT
        if isinstance(value, str) and (value in ids or _has_address(value)):
            return _LEFT_OUT
        return value

    return _ruled(values, rule)


def with_short_addresses(values: Optional[Mapping[str, Any]]) -> Optional[Dict[str, Any]]:
    """A copy whose addresses under `IP_NAMES` have lost what tells machines apart: /24 of IPv4, /48 of IPv6 are left.

    A text under these names that has an address and more (a list, a port) keeps the addresses only.
    """

    def rule(name: str, value: Any) -> Any:
        if isinstance(value, str) and _plain(name) in IP_NAMES and _has_address(value):
            return ", ".join(_short(address) for address in map(_address, value.split(",")) if address is not None)
        return value

    return _ruled(values, rule)


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name.lower())


def _ruled(values: Optional[Mapping[str, Any]], rule: _Rule) -> Optional[Dict[str, Any]]:
    if not values:
        return None if values is None else dict(values)
    if not isinstance(values, Mapping):
        return values
    ruled = ((name, _value(name, value, rule)) for name, value in values.items())
    return {name: value for name, value in ruled if value is not _LEFT_OUT}


def _value(name: Any, value: Any, rule: _Rule) -> Any:
    made = rule(str(name), value)
    if isinstance(made, Mapping):
        return _ruled(made, rule)
    if isinstance(made, (list, tuple)):
        inner: List[Any] = [_value(name, one, rule) for one in made]
        return [one for one in inner if one is not _LEFT_OUT]
    return made


_Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


def _has_address(text: str) -> bool:
    return len(text) <= 1024 and any(_address(part) is not None for part in text.split(","))


def _address(text: str) -> Optional[_Address]:
    """The address that a text is, also with a port or a zone."""
    plain = text.strip()
    bracketed = re.match(r"\[([^\]]+)\](?::[0-9]+)?\Z", plain)
    with_port = re.match(r"([0-9.]+):[0-9]+\Z", plain)
    if bracketed or with_port:
        plain = (bracketed or with_port)[1]  # type: ignore[index]
    try:
        return ipaddress.ip_address(plain.split("%")[0])
    except ValueError:
        return None


def _short(address: _Address) -> str:
    cut = address.max_prefixlen - (24 if address.version == 4 else 48)
    return str(type(address)(int(address) >> cut << cut))
