"""Sockets: a connection to the collector, and a bell that other threads ring to end a wait."""

from __future__ import annotations

import selectors
import socket
from typing import Optional, Tuple, Union

Address = Union[Tuple[str, int], str]
"""Host and port, or the path of a Unix socket."""

RECEIVE_BYTES = 1 << 16


class Bell:
    """Ends a wait in `select` from another thread."""

    def __init__(self) -> None:
        self._ear, self._hand = socket.socketpair()
        self._ear.setblocking(False)
        self._hand.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._ear, selectors.EVENT_READ)

    def ring(self) -> None:
        try:
            self._hand.send(b"!")
        except (BlockingIOError, OSError):
            # Full: it rings already. Closed: nobody waits.
            pass

    def watch(self, watched: socket.socket, *, writable: bool = False) -> None:
        """From now on a wait also ends when `watched` can be read, or written if `writable`."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writable else 0)
        key = self._selector.get_map().get(watched)
        if key is None:
            self._selector.register(watched, events)
        elif key.events != events:
            self._selector.modify(watched, events)

    def forget(self, watched: socket.socket) -> None:
        if watched in self._selector.get_map():
            self._selector.unregister(watched)

    def wait(self, timeout: Optional[float]) -> None:
        """Until it rings, a watched socket is ready, or `timeout` seconds passed."""
        for key, _ in self._selector.select(timeout):
            if key.fileobj is self._ear:
                self._hush()

    def _hush(self) -> None:
        try:
            while self._ear.recv(4096):
                pass
        except (BlockingIOError, OSError):
            pass

    def close(self) -> None:
        """Closes descriptors only: in a forked child the parent's bell keeps working."""
        self._selector.close()
        self._ear.close()
        self._hand.close()


class Connection:
    """One non-blocking stream socket with what is still to be sent."""

    def __init__(self, address: Address, timeout: float) -> None:
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self.socket.settimeout(timeout)
                self.socket.connect(address)
            except OSError:
                self.socket.close()
                raise
        else:
            self.socket = socket.create_connection(address, timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self._unsent = b""

    @property
    def is_idle(self) -> bool:
        """Whether everything was handed to the kernel."""
        return not self._unsent

    def send(self, data: bytes) -> None:
        """Sends what fits and keeps the rest. Call with b"" to go on."""
        self._unsent += data
        while self._unsent:
            try:
                sent = self.socket.send(memoryview(self._unsent)[: 1 << 20])
            except BlockingIOError:
                return
            self._unsent = self._unsent[sent:]

    def receive(self) -> Optional[bytes]:
        """What has come; None if nothing has. Raises ConnectionError when the peer closed."""
        try:
            data = self.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return None
        if not data:
            raise ConnectionError("the collector closed the connection")
        return data

    def close(self) -> None:
        self.socket.close()
