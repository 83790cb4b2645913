"""What leaves out, or cuts, what tells who somebody is, before an event leaves the process.

Names are compared without case and without what is neither letter nor digit: `clientIp`, `client-ip` and `client_ip`
are one name. A name also counts when it ends in one of `ENDINGS`: `billing_email`. Both rules reach into lists and
dicts.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Tuple, Union
from urllib.parse import unquote

IP_NAMES: FrozenSet[str] = frozenset((
    "ip", "ips", "ipaddr", "ipaddress", "ipaddresses", "ipv4", "ipv6", "clientip", "clientaddress", "userip",
    "remoteip", "remoteaddr", "remoteaddress", "sourceip", "forwarded", "forwardedfor", "xforwardedfor", "xrealip",
    "cfconnectingip"))
IDENTITY_NAMES: FrozenSet[str] = IP_NAMES | frozenset((
    "user", "uid", "userid", "distinctid", "anonymousid", "customerid", "accountid", "memberid", "sessionid",
    "deviceid", "advertisingid", "idfa", "idfv", "gaid", "aaid", "imei", "cookie", "cookieid", "visitorid", "clientid",
    "useragent", "ua", "fingerprint", "email", "emailaddress", "mail", "phone", "phonenumber", "mobile", "telephone",
    "firstname", "lastname", "fullname", "surname", "username", "displayname", "nickname", "login", "birthday",
    "birthdate", "dateofbirth", "address", "street", "latitude", "longitude", "lat", "lon", "lng", "coordinates"))
IP_ENDINGS: Tuple[str, ...] = ("clientip", "remoteip", "userip", "ipaddress", "ipaddr", "forwardedfor", "remoteaddr")
ENDINGS: Tuple[str, ...] = IP_ENDINGS + (
    "email", "emailaddress", "userphone", "mobilephone", "phonenumber", "userid", "customerid", "sessionid", "deviceid",
    "firstname", "lastname", "fullname", "username", "streetaddress", "homeaddress", "billingaddress",
    "shippingaddress")

_SEPARATORS = re.compile(r"[^a-z0-9]")
_MAIL = re.compile(r"[\w.+-]@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2}")
_PARTS = re.compile(r"[\s,;]+")
_WITHIN = re.compile(
    r"(?<![\w.:])(?<!\w/)"
    r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?=[:.]*[0-9A-Fa-f])[0-9A-Fa-f:]{2,39}(?:\.[0-9.]+)?)(?![\w:])")
"""What may be an address in a text. A version after a slash, as in `Chrome/119.0.0.0`, is none."""
_ID_WITHIN_MIN = 4
"""Shorter ids are compared with whole values only."""
_LEFT_OUT = object()
_Rule = Callable[[str, Any], Any]


def without_identity(values: Optional[Mapping[str, Any]], ids: FrozenSet[str]) -> Optional[Dict[str, Any]]:
    """A copy without values under `IDENTITY_NAMES`, and without values and names that are or contain an IP address, an
    e-mail address or one of `ids`, in whatever case and also percent-encoded."""
    folded = frozenset(one.strip().casefold() for one in ids)
    longer = [re.escape(one) for one in folded if len(one) >= _ID_WITHIN_MIN]
    within = re.compile(rf"(?<!\w)(?:{'|'.join(longer)})(?!\w)") if longer else None

    def tells(text: str) -> bool:
        plain = unquote(text).strip().casefold()
        return (plain in folded or within is not None and within.search(plain) is not None
                or "@" in plain and _MAIL.search(plain) is not None or _address(plain) is not None
                or any(_address(match[0]) is not None for match in _WITHIN.finditer(plain)))

    def rule(name: str, value: Any) -> Any:
        if _is_one_of(name, IDENTITY_NAMES, ENDINGS) or tells(name):
            return _LEFT_OUT
        if isinstance(value, str) and tells(value):
            return _LEFT_OUT
        if not isinstance(value, (bool, str, list, tuple, Mapping)) and str(value) in folded:
            return _LEFT_OUT
        return value

    return _ruled(values, rule)


def with_short_addresses(values: Optional[Mapping[str, Any]]) -> Optional[Dict[str, Any]]:
    """A copy whose addresses under `IP_NAMES` have lost what tells machines apart: /24 of IPv4, /48 of IPv6 are left.

    A text under these names that has addresses and more (a list, a port) keeps the addresses only. What has digits
    there, and no address that is understood, is left out.
    """
    return _ruled(values, lambda name, value: _cut(value) if _is_one_of(name, IP_NAMES, IP_ENDINGS) else value)


def _cut(value: Any) -> Any:
    """What is left of a value under a name of `IP_NAMES`."""
    if isinstance(value, Mapping):
        return _kept({name: _cut(inner) for name, inner in value.items()})
    if isinstance(value, (list, tuple)):
        return [one for one in map(_cut, value) if one is not _LEFT_OUT]
    if isinstance(value, str):
        found = [address for address in map(_address, _PARTS.split(value)) if address is not None]
        if found:
            return ", ".join(map(_short, found))
        return _LEFT_OUT if re.search(r"[\d:]", value) else value
    return value if value is None or isinstance(value, bool) else _LEFT_OUT


def _is_one_of(name: str, names: FrozenSet[str], endings: Tuple[str, ...]) -> bool:
    plain = _SEPARATORS.sub("", name.lower())
    return plain in names or plain.endswith(endings)


def _ruled(values: Optional[Mapping[str, Any]], rule: _Rule) -> Optional[Dict[str, Any]]:
    if not values:
        return None if values is None else dict(values)
    if not isinstance(values, Mapping):
        return values
    try:
        return _kept({name: _value(name, value, rule) for name, value in values.items()})
    except RecursionError:
        raise ValueError("a value is nested too deep or contains itself") from None


def _kept(values: Dict[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in values.items() if value is not _LEFT_OUT}


def _value(name: Any, value: Any, rule: _Rule) -> Any:
    made = rule(str(name), value)
    if isinstance(made, Mapping):
        return _kept({inner: _value(inner, one, rule) for inner, one in made.items()})
    if isinstance(made, (list, tuple)):
        inner: List[Any] = [_value(name, one, rule) for one in made]
        return [one for one in inner if one is not _LEFT_OUT]
    return made


_Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
_WRAPPED = re.compile(r"(?:(?:for|by)=)?\"?(?:\[([^\]]+)\]|([^\[\]\"/]+))(?::[0-9]+)?(?:/[0-9]+)?\"?\Z", re.IGNORECASE)
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+\Z")


def _address(text: str) -> Optional[_Address]:
    """The address that a text is, also with a port, a zone, a prefix's length, or as `Forwarded` writes it."""
    wrapped = _WRAPPED.match(text.strip()) if len(text) <= 100 else None
    if wrapped is None:
        return None
    plain = wrapped[1] or wrapped[2]
    with_port = _WITH_PORT.match(plain)
    plain = (with_port[1] if with_port else plain).split("%")[0]
    if "." in plain:
        plain = re.sub(r"(?<![0-9A-Fa-f])0+(?=[0-9])", "", plain)
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address
    return address


def _short(address: _Address) -> str:
    if isinstance(address, ipaddress.IPv4Address):
        bits_left = 24
    else:
        # A 6to4 address holds an IPv4 address in bits 16 to 48.
        bits_left = 48 if address.sixtofour is None else 40
    cut = address.max_prefixlen - bits_left
    return str(type(address)(int(address) >> cut << cut))
