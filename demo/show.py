"""Send a conversation, let the team reply, and check both directions.

This imports the public tasks, as i-Reserve does, so import it only when REDIS_URL is set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any

from demo.check_inbound import InboundCheck, check_inbound
from demo.installation import Installation
from demo.ireserve.store import Store
from demo.play import Played, delivered, play, problems, sample
from demo.target import MEMBER_VARIABLE, Place, Target
from models import Database
from tasks import sync_user
from tasks.mattermost import MattermostClient, Post
from tasks.outbound.marks import mark_of

# The number of characters of a post to print.
WIDTH = 100


def show(installation: Installation, target: Target) -> list[str]:
    """Play both directions, print what happens, and return what is wrong."""
    script, store = sample(installation.ireserve.language), Store(installation.ireserve.store)
    user_id = _introduce_member(target, script["user"])
    site = installation.url("ireserve")
    private = _play_private(target, script["private"], store, site)
    played = play(script, licence_id=target.public.licence_id, store=store, site=site)
    posts = _delivered(target, target.public, played)
    found = problems(played, posts)
    if target.member_token is None:
        print(f"\nNobody answers: set {MEMBER_VARIABLE} to check the replies as well.")
        return found
    thread = [post for post in posts if mark_of(post).get("conversation_id")]
    print(f"\n{script['user']['name']} answers:")
    with MattermostClient(target.url, target.member_token) as member:
        check = InboundCheck(
            server_url=target.url,
            member=member,
            member_token=target.member_token,
            ireserve=installation.ireserve,
            database=Database(installation.database_url),
            user_id=user_id,
            thread=thread,
            private_root=private[0] if private else None,
            has_webhook=target.is_stand_in,
        )
        for finding in check_inbound(check, script["replies"]):
            print(finding, flush=True)
            found += [] if finding.is_ok else [finding.claim]
    return found


def _introduce_member(target: Target, user: Mapping[str, str]) -> str | None:
    """Sync the member who answers to the licences; return the member's id in i-Reserve.

    None: no member answers, or the server hides e-mails from the bot, so the id is unknown.
    """
    if target.member_token is None:
        return None
    with (
        MattermostClient(target.url, target.member_token) as member,
        MattermostClient(target.url, target.public.token) as bot,
    ):
        email = bot.get_user(member.get_me().id).email
    if not email:
        return None
    for place in target.places:
        sync_user.delay(place.licence_id, user_id=user["user_id"], email=email, name=user["name"])
    return str(user["user_id"])


def _play_private(target: Target, script: Mapping[str, Any], store: Store, site: str) -> list[Post]:
    """Play the short conversation in the private channel, if there is one; return its posts."""
    if target.private is None:
        return []
    played = play(script, licence_id=target.private.licence_id, store=store, site=site)
    return _delivered(target, target.private, played)


def _delivered(target: Target, place: Place, played: Played) -> list[Post]:
    """Wait for the posts; print and return them."""
    names = [place.channel]
    if target.bookings and place is target.public:
        names.append(target.bookings)
    with MattermostClient(target.url, place.token) as client:
        channels = {
            client.get_channel_by_name(team=target.team, channel=name).id: name for name in names
        }
        posts = delivered(client, played, list(channels))
    _print(posts, channels)
    return posts


def _print(posts: Sequence[Post], channels: dict[str, str]) -> None:
    for post in posts:
        said = " ".join(filter(None, post.message.splitlines())) or "(notification)"
        files = f"  [{', '.join(file.name for file in post.files)}]" * bool(post.files)
        place = "  └ " if post.root_id else ""
        where = f"  ~{channels[post.channel_id]}: {place}"
        print(f"{where}{shorten(said, WIDTH)}{files}", flush=True)
