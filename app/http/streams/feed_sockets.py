"""One reader of the events of all runs, and one thread that writes to all who follow events or logs.

Were each stream a thread, their number would be bounded, and hundreds would have to wake for each event. Here
an event is read and encoded once, and goes to each socket as far as that takes it without waiting; who falls
behind is dropped, and comes back with the id of its last event.
"""

import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from app.http.streams.followed_runs import FollowedRuns
from app.http.streams.followers import FollowedLog, Follower, Unplaced
from app.service.requests.shutdown import Shutdown
from trainyard.errors import StoreUnavailable, TooManyStreams
from trainyard.registry.event_log import order
from trainyard.registry.runs import RunRegistry
from trainyard.store.runs.event_feed import EventFeed, FeedEntry

logger = logging.getLogger(__name__)

MAX_FOLLOWERS = 1000
"""Followers at a time; each holds a connection and, where it is slow, MOST_WAITING bytes."""
MOST_WAITING = 256 * 1024
"""Bytes that wait for a follower that takes none; beyond, it is dropped."""
KERNEL_BYTES = 64 * 1024
"""The kernel's own buffer for each follower."""
KEPT = 2000
"""Newest events that are kept for followers that have just read what was there before."""
TICK_S = 0.2
KEEP_ALIVE_S = 10.0
"""Silence after which a sign of life is due."""
READ_MS = 250
"""One wait for news; also how soon it is noticed that the server ends."""
AGAIN_S = 1.0
"""Pause before Redis is asked again that was away."""
CLOSE_S = 2.0
PIECE = 16 * 1024


class FeedSockets:
    """All followers of this process. One thread owns them; others hand them in."""

    def __init__(
        self, feed: EventFeed, runs: RunRegistry, shutdown: Shutdown, keep_alive_s: float = KEEP_ALIVE_S
    ) -> None:
        self._feed = feed
        self._keep_alive_s = keep_alive_s
        self._followed_runs = FollowedRuns(
            runs,
            shutdown,
            lambda follower, log, piece: self._hand_in(lambda: self._tell_log(follower, log, piece)),
            lambda follower, is_end: self._hand_in(lambda: self._leave(follower, is_end)),
        )
        self._shutdown = shutdown
        self._lock = threading.Lock()
        self._is_begun = False
        self._is_over = False
        self._threads = (
            threading.Thread(target=self._write, name="feed sockets", daemon=True),
            threading.Thread(target=self._read, name="feed", daemon=True),
        )
        self._handed_in: deque[Callable[[], None]] = deque()
        self._woken, self._wake = socket.socketpair()
        self._followers: set[Follower] = set()
        self._selector = selectors.DefaultSelector()
        self._recent: deque[FeedEntry] = deque(maxlen=KEPT)
        self._floor = self._newest = ""

    @property
    def taken(self) -> int:
        """How many follow."""
        return len(self._followers)

    def begin(self) -> None:
        """Read from now on, if that is not done yet, and see that another follower may come.

        Raises StoreUnavailable, TooManyStreams.
        """
        if self.taken >= MAX_FOLLOWERS:
            raise TooManyStreams
        with self._lock:
            if not self._is_begun:
                self._floor = self._newest = self._feed.last_id()
                for end in (self._woken, self._wake):
                    end.setblocking(False)
                self._selector.register(self._woken, selectors.EVENT_READ, self._clear)
                for thread in self._threads:
                    thread.start()
                self._followed_runs.start()
                self._is_begun = True

    @property
    def newest(self) -> str:
        """The id of the newest event that was read here; only after `begin`."""
        return self._newest

    def close(self) -> None:
        """Once the server is about to stop: wait until followers have been told to come again."""
        if self._is_begun:
            for thread in self._threads:
                thread.join(CLOSE_S)
            self._followed_runs.close(CLOSE_S)

    def join(self, follower: Follower) -> None:
        """Take a follower in, who has been told all up to `seen`; only after `begin`."""
        with self._lock:
            if not self._is_over:
                self._hand_in(lambda: self._join(follower))
                return
        _send_away(follower)

    def _hand_in(self, act: Callable[[], None]) -> None:
        self._handed_in.append(act)
        with suppress(BlockingIOError):  # it is awake
            self._wake.send(b".")

    def _read(self) -> None:
        """Hand in what comes. Who follows while Redis is away is let go, and comes back when it answers."""
        last = self._newest
        while not self._shutdown.is_near:
            try:
                entries = self._feed.read(last, READ_MS)
            except StoreUnavailable as error:
                logger.warning("The streams of many runs end: %s", error.message)
                self._hand_in(self._let_all_go)
                time.sleep(AGAIN_S)
                continue
            if entries:
                last = entries[-1].id
                self._hand_in(lambda entries=entries: self._spread(entries))  # type: ignore[misc]

    def _write(self) -> None:
        while not self._shutdown.is_near:
            for key, events in self._selector.select(TICK_S):
                key.data(events)
            self._take_in()
            self._give_signs_of_life()
        with self._lock:
            self._is_over = True
        self._take_in()
        self._let_all_go()

    def _take_in(self) -> None:
        while self._handed_in:
            self._handed_in.popleft()()

    def _clear(self, _: int) -> None:
        with suppress(BlockingIOError):
            while self._woken.recv(PIECE):
                pass

    def _join(self, follower: Follower) -> None:
        if order(follower.seen) < order(self._floor):  # too much has come since it was told the rest
            _send_away(follower)
            return
        follower.sock.setblocking(False)
        follower.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        self._followers.add(follower)
        self._selector.register(
            follower.sock, selectors.EVENT_READ, lambda events: self._turn(follower, events)
        )
        for entry in self._recent:
            if order(entry.id) > order(follower.seen):
                self._tell(follower, entry, {})
        self._followed_runs.add(follower)

    def _spread(self, entries: list[FeedEntry]) -> None:
        for entry in entries:
            if len(self._recent) == KEPT:
                self._floor = self._recent[0].id
            self._recent.append(entry)
            self._newest = entry.id
            encoded: dict[tuple[str, str], bytes] = {}
            for follower in list(self._followers):
                if order(entry.id) > order(follower.seen):
                    self._tell(follower, entry, encoded)

    def _tell(self, follower: Follower, entry: FeedEntry, encoded: dict[tuple[str, str], bytes]) -> None:
        """Write an entry that is wanted; `encoded` has it for those who were told before."""
        try:
            is_wanted = follower.wants(entry)
        except Unplaced:
            self._leave(follower, False)
            return
        if is_wanted:
            follower.quiet_since = time.monotonic()
            self._send(follower, self._in_words(follower, entry, encoded))
        if follower.knows_end:
            self._followed_runs.look_soon()

    def _in_words(self, follower: Follower, entry: FeedEntry, encoded: dict[tuple[str, str], bytes]) -> bytes:
        if follower.sharing is None:
            return follower.encoded(entry)
        words = (follower.form.name, follower.sharing)
        if words not in encoded:
            encoded[words] = follower.encoded(entry)
        return encoded[words]

    def _tell_log(self, follower: Follower, log: FollowedLog, piece: object) -> None:
        if follower in self._followers:
            self._send(follower, log.encoded(piece))
            self._log_was_told(follower)

    def _log_was_told(self, follower: Follower) -> None:
        """Once a piece has gone out, there may be the next."""
        if follower.is_told_log and not follower.waiting:
            follower.is_told_log = False
            self._followed_runs.look_soon()

    def _leave(self, follower: Follower, is_end: bool) -> None:
        """Let a follower go once it has taken what it was told: at the end, or to come again."""
        if follower in self._followers and not follower.is_ending:
            self._followed_runs.discard(follower)
            if not is_end:
                self._send(follower, follower.form.farewell)
            self._send_raw(follower, follower.framing.end)
            follower.is_ending = True
            self._drop_if_done(follower)

    def _drop_if_done(self, follower: Follower) -> None:
        if follower.is_ending and not follower.waiting:
            self._drop(follower)

    def _send(self, follower: Follower, data: bytes) -> None:
        follower.told_at = time.monotonic()
        if not follower.is_ending:
            self._send_raw(follower, follower.framing.piece(data))

    def _send_raw(self, follower: Follower, data: bytes) -> None:
        if not follower.waiting:
            data = data[self._sent(follower, data) :]
        if data and follower in self._followers:
            follower.waiting += data
            if len(follower.waiting) > MOST_WAITING:
                self._drop(follower)
            else:
                self._watch(follower, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def _sent(self, follower: Follower, data: bytes | bytearray) -> int:
        try:
            return follower.sock.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self._drop(follower)
            return 0

    def _turn(self, follower: Follower, events: int) -> None:
        """The socket takes more, or its client has sent something or has left."""
        if events & selectors.EVENT_READ:
            self._receive(follower)
        if events & selectors.EVENT_WRITE and follower in self._followers:
            del follower.waiting[: self._sent(follower, follower.waiting[:PIECE])]
            if not follower.waiting and follower in self._followers:
                self._watch(follower, selectors.EVENT_READ)
                self._log_was_told(follower)
                self._drop_if_done(follower)

    def _receive(self, follower: Follower) -> None:
        try:
            data = follower.sock.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        answer = follower.form.received(data)
        if answer:
            self._send(follower, answer)
        if answer is None:
            self._drop(follower)

    def _watch(self, follower: Follower, events: int) -> None:
        self._selector.modify(follower.sock, events, partial(self._turn, follower))

    def _give_signs_of_life(self) -> None:
        now = time.monotonic()
        for follower in [one for one in self._followers if now - one.told_at >= self._keep_alive_s]:
            self._send(follower, follower.sign_of_life())

    def _let_all_go(self) -> None:
        for follower in list(self._followers):
            self._leave(follower, False)
            self._drop(follower)

    def _drop(self, follower: Follower) -> None:
        if follower in self._followers:
            self._followers.discard(follower)
            self._followed_runs.discard(follower)
            self._selector.unregister(follower.sock)
            with suppress(OSError):
                follower.sock.shutdown(socket.SHUT_RDWR)
            follower.sock.close()


def _send_away(follower: Follower) -> None:
    """Tell one that has not joined to come again."""
    with suppress(OSError):
        follower.sock.setblocking(False)
        follower.sock.send(follower.framing.piece(follower.form.farewell) + follower.framing.end)
    follower.sock.close()
