"""Who is who. Nothing is rewritten when an event is sent: the ids that the application gives are what is stored.

What `identify` and `create_identity` say is stored too, as events of their own. That questions take a device's
anonymous past and an alias as one person is a feature of queryd to come; until then each id counts for itself.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ._delivery import Outlet
from .arguments import id_text
from .config import boolean, part_of

Config = Optional[Mapping[str, Any]]


class IdentityStorage:
    """Sends what is known about ids to the collector."""

    def __init__(self, config: Config = None, *, outlet: Optional[Outlet] = None) -> None:
        self.config = {} if config is None else config
        self._outlet = outlet or Outlet(self.config)

    async def resolve_identity(self, user_id: str) -> Optional[str]:
        """The id under which this one's events are stored: itself."""
        return id_text(user_id, "user_id")

    async def create_identity(self, identity_id: str, user_id: str) -> None:
        """Says that both ids are one person (an alias)."""
        self._outlet.send(lambda client: client.alias(identity_id, user_id))

    async def link(self, user_id: str, anonymous_id: Optional[str], traits: Optional[Mapping[str, Any]]) -> str:
        """Says that the anonymous id is this user from here on. The event's id, empty when tracking is off."""
        return self._outlet.send(lambda client: client.identify(user_id, anonymous_id, self._outlet.shown(traits)))


class IdentityResolver:
    """`resolve` an id, or `identify` who an anonymous id is. With `identity.enabled: false` it says nothing."""

    def __init__(self, config: Config = None, *, outlet: Optional[Outlet] = None) -> None:
        self.config = part_of(config, "identity")
        self.is_enabled = boolean(self.config.get("enabled", True), "identity.enabled")
        self.storage = IdentityStorage(self.config, outlet=outlet)

    async def resolve(self, user_id: str) -> str:
        """The id to track with: the one given. No ids are made up."""
        return await self.storage.resolve_identity(user_id) or user_id

    async def identify(self, user_id: str, anonymous_id: Optional[str] = None,
                       traits: Optional[Mapping[str, Any]] = None) -> str:
        """Says that the anonymous id (None: this process's own) is `user_id` from here on.

        Returns the event's id, or the empty text when identity or tracking is switched off.
        """
        if not self.is_enabled:
            return ""
        return await self.storage.link(user_id, anonymous_id, traits)
