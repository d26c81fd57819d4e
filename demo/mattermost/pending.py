"""The cache of 30 seconds in which a repeated pending_post_id returns the same post."""

import threading
import time
from collections import OrderedDict

from demo.mattermost.errors import POST_PENDING, ApiError

# The size of the cache in the real server; beyond it the oldest entry is removed.
MAX_PENDING = 25_000


class PendingPosts:
    """The post of each pending_post_id, in memory only, as on the real server."""

    def __init__(self) -> None:
        """Begin with an empty cache."""
        self._lock = threading.Lock()
        self._posts: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def begin(self, key: str, *, ttl_s: float) -> str:
        """Return the id of the post that this key made, or "" for the first request with the key.

        Raises:
            ApiError: another request with the key is still running.
        """
        now = time.monotonic()
        with self._lock:
            known = self._posts.get(key)
            if known is None or known[0] < now:
                self._posts[key] = (now + ttl_s, "")
                self._posts.move_to_end(key)
                if len(self._posts) > MAX_PENDING:
                    self._posts.popitem(last=False)
                return ""
        if not known[1]:
            raise ApiError(POST_PENDING)
        return known[1]

    def succeed(self, key: str, post_id: str, *, ttl_s: float) -> None:
        """Note that the first request with the key made this post."""
        with self._lock:
            self._posts[key] = (time.monotonic() + ttl_s, post_id)

    def fail(self, key: str) -> None:
        """Note that the first request failed, so the next request counts as the first."""
        with self._lock:
            self._posts.pop(key, None)
