"""What an event no longer says, once who it was, or where, was taken out."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from tidemark.privacy import with_short_addresses, without_identity

IDS = frozenset(("Bob@Example.com", "user_7", "42", "s1"))


@pytest.mark.parametrize("given, kept", [
    ("203.0.113.77", "203.0.113.0"),
    ("203.0.113.77:8080", "203.0.113.0"),
    ("203.0.113.77/32", "203.0.113.0"),
    ("203.000.113.077", "203.0.113.0"),
    ("203.0.113.77 198.51.100.9", "203.0.113.0, 198.51.100.0"),
    ('for=203.0.113.77;proto=http, for="[2001:db8:1:2::9]:80"', "203.0.113.0, 2001:db8:1::"),
    ("203.0.113.77, unknown", "203.0.113.0"),
    (", ".join(["203.0.113.77"] * 200), ", ".join(["203.0.113.0"] * 200)),
    ("[2001:db8:1:2::9]:443", "2001:db8:1::"),
    ("2001:DB8:1:2::9", "2001:db8:1::"),
    ("2001:db8:1:2::9/64", "2001:db8:1::"),
    ("fe80::1%eth0", "fe80::"),
    ("::ffff:203.0.113.77", "203.0.113.0"),
    ("2002:cb00:714d:5::1", "2002:cb00:7100::"),
    ("unknown", "unknown"),
    (["203.0.113.77", {"value": "198.51.100.9"}], ["203.0.113.0", {"value": "198.51.100.0"}]),
    ({"v4": "203.0.113.77", "via": ["198.51.100.9"]}, {"v4": "203.0.113.0", "via": ["198.51.100.0"]}),
    (None, None),
])
def test_an_address_is_cut_in_every_form(given: Any, kept: Any) -> None:
    for name in ("ip", "X-Forwarded-For", "forwarded", "lastClientIP"):
        assert with_short_addresses({name: given}) == {name: kept}


@pytest.mark.parametrize("given", [3405803853, "0xCB00714D.1", "\u200b203.0.113.77\u200b9", "3405803853"])
def test_what_may_be_an_address_and_cannot_be_cut_is_left_out(given: Any) -> None:
    assert with_short_addresses({"client_ip": given, "n": given}) == {"n": given}


@pytest.mark.parametrize("values", [
    {"c": "bob@example.com"}, {"c": " user_7 "}, {"customer": 42}, {"user": {"id": 7}}, {"uid": "9"},
    {"billing_email": "x"}, {"userPhone": "x"}, {"contact": "al@mail.example"}, {"by_user": {"user_7": 1}},
    {"url": "https://shop.example/u/user_7?tab=1"}, {"url": "/confirm?mail=bob%40example.com"},
    {"message": "user_7 cannot pay"}, {"message": "refused 203.0.113.77"}, {"url": "http://203.0.113.77/a"},
    {"message": "from 2001:db8::9 refused"}, {"net": "203.0.113.77/32"}, {"user_agent": "Mozilla/5.0"}, {"ua": "x"},
    {"al@mail.example": 1}, {"203.0.113.77": 1},
])
def test_nothing_that_names_somebody_is_left(values: Dict[str, Any]) -> None:
    left = without_identity({**values, "amount": 5}, IDS)
    assert left in ({"amount": 5}, {"by_user": {}, "amount": 5})


def test_what_names_nobody_stays() -> None:
    values = {"page": "/users_7", "size": 427, "plan": "pro", "browser": "Chrome/119.0.0.0", "at": "12:30:45",
              "trace": "std::vector at a.cc:12", "package": "left@1.2.3", "flags": [True, None, 1.5], "s": "s12 s1x",
              "user_count": 3, "email_sent": True, "microphone": "on"}
    assert without_identity(values, IDS) == values


def test_a_value_that_contains_itself_is_an_argument_that_cannot_be_sent() -> None:
    values: Dict[str, Any] = {}
    values["again"] = values
    with pytest.raises(ValueError, match="nested too deep"):
        without_identity(values, IDS)
    with pytest.raises(ValueError, match="nested too deep"):
        with_short_addresses(values)


def test_long_texts_are_searched_in_little_time() -> None:
    for text in ("a" * 500_000, "a@" * 250_000, "a:" * 250_000, "1:" * 250_000, "%4" * 250_000):
        assert without_identity({"text": text}, IDS) == {"text": text}
