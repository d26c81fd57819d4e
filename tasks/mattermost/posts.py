"""Calls about posts and reactions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tasks.mattermost.errors import OutcomeUnknownError, RefusedError
from tasks.mattermost.pages import ask_by_ids, ask_page, is_too_large, page_anchor
from tasks.mattermost.shape import parse_list
from tasks.mattermost.transport import LIST_ANSWER_BYTES, Transport, route
from tasks.mattermost.types import Post, parse_posts, parse_status

# The server's limits: the ids in one POST /posts/ids, and the posts on one page. The server reduces
# a larger page silently.
MAX_IDS = 1000
MAX_PAGE = 200
# Posts on a page of a thread that is too large for one answer. The page stays below 4 MiB even if
# each post has the maximum length.
THREAD_PAGE = 50


class PostCalls:
    """The calls about posts, threads and reactions of one server."""

    _transport: Transport

    def create_post(
        self,
        *,
        channel_id: str,
        message: str,
        root_id: str = "",
        file_ids: Sequence[str] = (),
        props: Mapping[str, Any] | None = None,
        pending_post_id: str = "",
        send_by: float = float("inf"),
    ) -> Post:
        """Create a post.

        If a request with the same ``pending_post_id`` comes within 30 s, the server returns the
        first post. After ``send_by`` (by ``monotonic``) nothing is sent. Compare the result's
        ``file_ids``: the server silently drops files that it cannot attach, and sorts the rest.

        Raises:
            MattermostError: the call failed.
            SendTooLateError: ``send_by`` has passed.

        Source: POST /posts, tried on 6.7.2.
        """
        payload = {
            "channel_id": channel_id,
            "message": message,
            "root_id": root_id,
            "file_ids": list(file_ids),
            "props": dict(props or {}),
            "pending_post_id": pending_post_id,
        }
        # A bot that is always online tells the team nothing.
        query = {"set_online": "false"}
        return self._transport.call(
            "POST",
            "/posts",
            query=query,
            payload=payload,
            parse=Post.parse,
            channel_id=channel_id,
            send_by=send_by,
        )

    def patch_post(
        self, post_id: str, *, message: str | None = None, props: Mapping[str, Any] | None = None
    ) -> Post:
        """Change a post. ``props`` replaces all old props; None leaves a field as it is."""
        changes = {"message": message, "props": None if props is None else dict(props)}
        return self._transport.call(
            "PUT",
            route("posts", post_id, "patch"),
            payload={name: value for name, value in changes.items() if value is not None},
            parse=Post.parse,
        )

    def delete_post(self, post_id: str) -> None:
        """Delete a post, and all replies of a root post.

        For an unknown post the server answers 403 (6.7) or 404 (11).
        """
        self._transport.call("DELETE", route("posts", post_id), parse=parse_status)

    def get_post(self, post_id: str) -> Post:
        """Return one post.

        Raises:
            RefusedError: ``not_found``, if the post is deleted or unknown.
        """
        return self._transport.call("GET", route("posts", post_id), parse=Post.parse)

    def get_posts_by_ids(self, post_ids: Sequence[str]) -> list[Post]:
        """Return the posts with these ids, in no order; deleted posts have ``delete_at_ms``.

        Ids of posts that never existed are left out.
        """
        return ask_by_ids(self._posts_by_ids, post_ids, size=MAX_IDS)

    def get_thread(self, root_id: str, *, on_page: Callable[[], None] = lambda: None) -> list[Post]:
        """Return the whole thread, oldest first, with its root; deleted replies are absent.

        ``on_page`` is called before each further request for a large thread.

        Raises:
            RefusedError: ``not_found``, if the root is deleted or unknown.
        """
        # Without perPage the server returns all posts at once, in no order. Among posts of one
        # millisecond only the root's place is known.
        try:
            thread = self._thread(root_id)
        except OutcomeUnknownError as error:
            if not is_too_large(error):
                raise
            thread = self._thread_by_pages(root_id, on_page)
        return sorted(thread, key=lambda post: (post.create_at_ms, post.id != root_id))

    def _thread(self, root_id: str, **query: str | int) -> list[Post]:
        return self._transport.call(
            "GET",
            route("posts", root_id, "thread"),
            query=query,
            parse=parse_posts,
            limit_bytes=LIST_ANSWER_BYTES,
        )

    def _thread_by_pages(self, root_id: str, on_page: Callable[[], None]) -> list[Post]:
        found: dict[str, Post] = {}
        start: dict[str, str | int] = {}
        while True:
            on_page()
            page = self._thread(root_id, perPage=THREAD_PAGE, direction="down", **start)
            fresh = sorted(
                (post for post in page if post.id not in found), key=lambda post: post.create_at_ms
            )
            found |= {post.id: post for post in fresh}
            # Each page holds the root too.
            if not fresh or len(page) < THREAD_PAGE:
                return list(found.values())
            last = page_anchor(fresh)
            start = {"fromCreateAt": last.create_at_ms, "fromPost": last.id}

    def get_posts_page(self, channel_id: str, *, page: int = 0, per_page: int = 60) -> list[Post]:
        """Return a page of a channel's posts, newest first; page 0 holds the newest posts."""
        return self._posts_of(channel_id, page=page, per_page=min(per_page, MAX_PAGE))

    def get_posts_since(self, channel_id: str, *, since_ms: int) -> list[Post]:
        """Return the posts that changed after ``since_ms``, newest first.

        Deleted posts and the old versions of edited posts are among them. If there are more than
        1,000 changes, the server returns an arbitrary 1,000 of them.

        Raises:
            OutcomeUnknownError: ``answer_too_large``; this list has no pages.
        """
        return self._listed(channel_id, since=since_ms)

    def get_posts_after(
        self, channel_id: str, *, post_id: str, per_page: int = MAX_PAGE
    ) -> list[Post]:
        """Return the oldest ``per_page`` posts created after the post ``post_id``, newest first.

        The server leaves out other posts of that post's millisecond.
        """
        return self._posts_of(channel_id, after=post_id, per_page=min(per_page, MAX_PAGE))

    def get_posts_before(
        self, channel_id: str, *, post_id: str, per_page: int = MAX_PAGE
    ) -> list[Post]:
        """Return the newest ``per_page`` posts created before the post ``post_id``, newest first.

        The server leaves out other posts of that post's millisecond.
        """
        return self._posts_of(channel_id, before=post_id, per_page=min(per_page, MAX_PAGE))

    def add_reaction(self, post_id: str, *, user_id: str, emoji_name: str) -> None:
        """Add a reaction of the bot, whose id is ``user_id``; a second call changes nothing."""
        payload = {"user_id": user_id, "post_id": post_id, "emoji_name": emoji_name}
        self._transport.call("POST", "/reactions", payload=payload, parse=bool)

    def remove_reaction(self, post_id: str, *, user_id: str, emoji_name: str) -> None:
        """Remove a reaction of the bot, whose id is ``user_id``."""
        path = route("users", user_id, "posts", post_id, "reactions", emoji_name)
        self._transport.call("DELETE", path, parse=parse_status)

    def _posts_of(
        self, channel_id: str, *, page: int = 0, per_page: int, **anchor: str
    ) -> list[Post]:
        def ask(page: int, per_page: int) -> list[Post]:
            place = {"page": page} if page or not anchor else {}
            return self._listed(channel_id, **anchor, **place, per_page=per_page)

        return ask_page(ask, page=page, per_page=per_page)

    def _listed(self, channel_id: str, **query: str | int) -> list[Post]:
        return self._transport.call(
            "GET",
            route("channels", channel_id, "posts"),
            query=query,
            parse=parse_posts,
            channel_id=channel_id,
            limit_bytes=LIST_ANSWER_BYTES,
        )

    def _posts_by_ids(self, post_ids: Sequence[str]) -> list[Post]:
        try:
            return self._transport.call(
                "POST",
                "/posts/ids",
                payload=list(post_ids),
                parse=parse_list(Post.parse),
                limit_bytes=LIST_ANSWER_BYTES,
            )
        except RefusedError as error:
            # None of the posts ever existed. For an unknown route the error's id differs.
            if error.status == 404 and error.error_id.startswith("app.post."):
                return []
            raise
