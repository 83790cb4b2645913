"""What can go wrong between an application and the daemons. Bad arguments raise TypeError or ValueError instead."""

from __future__ import annotations

from typing import List, Optional


class TidemarkError(Exception):
    """What all of these have in common."""


class ConfigError(TidemarkError):
    """A configuration file, a section or a setting that cannot be used; the text names the key."""


class TokenError(TidemarkError):
    """There is no token to show, or it cannot be read; the text says what to do."""


class Unreachable(TidemarkError):
    """queryd did not answer: no connection, no answer in time, or what came is no answer."""


class NotAcknowledged(TidemarkError):
    """Events of this process are not known to be on the collector's disk in time."""


class AnswerBehind(TidemarkError):
    """The answers of queryd did not catch up in time with what this process has sent."""


class QuestionRefused(TidemarkError):
    """queryd answered with an error (docs/questions.md §1.5). Programs go by `code`."""

    def __init__(self, status: int, code: str, message: str, path: Optional[str] = None,
                 allowed: Optional[List[str]] = None) -> None:
        text = f"{path}: {message}" if path else message
        super().__init__(f"{code}: {text}; allowed: {', '.join(allowed)}" if allowed else f"{code}: {text}")
        self.status = status
        self.code = code
        self.message = message
        self.path = path
        self.allowed = allowed


class MixedCurrencies(TidemarkError, ValueError):
    """Amounts in more than one currency cannot be added up or compared."""
