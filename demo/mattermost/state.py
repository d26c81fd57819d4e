"""The state of the stand-in: all objects by id, with the indexes that the answers need."""

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from demo.mattermost.entities import (
    Channel,
    ChannelMember,
    Command,
    Entity,
    FileInfo,
    Hook,
    Post,
    Reaction,
    Team,
    TeamMember,
    ThreadMembership,
    Token,
    User,
)
from demo.mattermost.ids import now_ms
from demo.mattermost.journal import Journal
from demo.mattermost.versions import NEWEST, VERSIONS

_KINDS: dict[str, type[Entity]] = {
    kind.__name__: kind
    for kind in (
        User, Token, Team, TeamMember, Channel, ChannelMember, ThreadMembership, Post, FileInfo,
        Reaction, Hook, Command,
    )
}  # fmt: skip


class State:
    """All objects, in memory and in the journal. Change them only under `lock`."""

    def __init__(self, journal: Journal) -> None:
        """Begin empty; `restore` adds the journal's entries."""
        self.lock = threading.RLock()
        # The version that decides the shape of every answer.
        self.version = VERSIONS[NEWEST]
        self.users: dict[str, User] = {}
        self.user_ids_by_name: dict[str, str] = {}
        self.user_ids_by_email: dict[str, str] = {}
        self.tokens: dict[str, Token] = {}
        self.teams: dict[str, Team] = {}
        self.team_ids_by_name: dict[str, str] = {}
        self.team_members: dict[tuple[str, str], TeamMember] = {}
        self.former_team_members: dict[tuple[str, str], TeamMember] = {}
        self.channels: dict[str, Channel] = {}
        self.channel_ids_by_name: dict[tuple[str, str], str] = {}
        self.channel_members: dict[str, dict[str, ChannelMember]] = defaultdict(dict)
        self.thread_memberships: dict[str, dict[str, ThreadMembership]] = defaultdict(dict)
        self.posts: dict[str, Post] = {}
        self.channel_post_ids: dict[str, list[str]] = defaultdict(list)
        self.thread_post_ids: dict[str, list[str]] = defaultdict(list)
        self.reply_counts: dict[str, int] = defaultdict(int)
        self.files: dict[str, FileInfo] = {}
        # Posts whose list of files is cut to half until the server restarts, by a fault.
        self.half_listed: set[str] = set()
        self.reactions: dict[str, dict[tuple[str, str], Reaction]] = defaultdict(dict)
        self.hooks: dict[str, Hook] = {}
        self.commands: dict[str, Command] = {}
        # The number of changes of each channel, and the number at each thread's last change. A page
        # asks by them which threads to render again.
        self.channel_revisions: dict[str, int] = defaultdict(int)
        self.thread_revisions: dict[str, int] = {}
        self._last_upload_at = 0
        self._journal = journal
        self._keepers: dict[type[Entity], Callable[[Any], None]] = {
            User: self._keep_user,
            Token: self._keep_token,
            Team: self._keep_team,
            TeamMember: self._keep_team_member,
            Channel: self._keep_channel,
            ChannelMember: self._keep_channel_member,
            ThreadMembership: self._keep_thread_membership,
            Post: self._keep_post,
            FileInfo: self._keep_file,
            Reaction: self._keep_reaction,
            Hook: self._keep_hook,
            Command: self._keep_command,
        }

    def put(self, entity: Entity) -> None:
        """Store a new or changed object, and append it to the journal."""
        self._keep(entity)
        if not self._journal:
            return
        kind = type(entity)
        value = {name: getattr(entity, name) for name in kind.__slots__}
        self._journal.append(kind.__name__, value)

    def restore(self, kind: str, value: dict[str, Any]) -> None:
        """Store the object of one journal entry; ignore entries of other kinds."""
        if kind in _KINDS:
            fields: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in value.items()
            }
            self._keep(_KINDS[kind](**fields))

    def replies(self, root_id: str) -> list[Post]:
        """Return the replies under a root that are not deleted, oldest first."""
        posts = (self.posts[post_id] for post_id in self.thread_post_ids[root_id])
        return [post for post in posts if post.delete_at == 0]

    def channel_posts(self, channel_id: str) -> list[Post]:
        """Return all posts of a channel, oldest first, deleted posts and edit history included."""
        posts = [self.posts[post_id] for post_id in self.channel_post_ids[channel_id]]
        return sorted(posts, key=lambda post: post.create_at)

    def upload_moment(self) -> int:
        """Return the create_at for the files of one request, later than any request's before.

        The order of a post's files depends on it. On a real server an upload takes longer than a
        millisecond, but here two uploads could fall into the same one.
        """
        with self.lock:
            self._last_upload_at = max(now_ms(), self._last_upload_at + 1)
            return self._last_upload_at

    def is_member(self, user_id: str, channel_id: str) -> bool:
        """Return whether the user is in the channel."""
        return user_id in self.channel_members.get(channel_id, ())

    def is_in_team(self, user_id: str, team_id: str) -> bool:
        """Return whether the user is in the team."""
        return (team_id, user_id) in self.team_members

    def teams_of(self, user_id: str) -> list[Team]:
        """Return the teams that the user is in."""
        return [self.teams[team] for team, member in self.team_members if member == user_id]

    def _keep(self, entity: Entity) -> None:
        self._keepers[type(entity)](entity)

    def _keep_user(self, user: User) -> None:
        self.users[user.id] = user
        self.user_ids_by_name[user.username] = user.id
        self.user_ids_by_email[user.email] = user.id

    def _keep_token(self, token: Token) -> None:
        self.tokens[token.token] = token

    def _keep_team(self, team: Team) -> None:
        self.teams[team.id] = team
        self.team_ids_by_name[team.name] = team.id

    def _keep_team_member(self, member: TeamMember) -> None:
        place = member.team_id, member.user_id
        now, before = self.team_members, self.former_team_members
        kept, other = (before, now) if member.delete_at else (now, before)
        other.pop(place, None)
        kept[place] = member

    def _keep_channel(self, channel: Channel) -> None:
        self.channels[channel.id] = channel
        self.channel_ids_by_name[channel.team_id, channel.name] = channel.id

    def _keep_channel_member(self, member: ChannelMember) -> None:
        if member.left:
            self.channel_members[member.channel_id].pop(member.user_id, None)
        else:
            self.channel_members[member.channel_id][member.user_id] = member

    def _keep_thread_membership(self, membership: ThreadMembership) -> None:
        self.thread_memberships[membership.post_id][membership.user_id] = membership

    def _keep_post(self, post: Post) -> None:
        before = self.posts.get(post.id)
        if post.purged_at:
            self._forget_post(post)
            return
        self.posts[post.id] = post
        self._count_change(post)
        if before is None:
            self.channel_post_ids[post.channel_id].append(post.id)
        if post.root_id and not post.original_id:
            if before is None:
                self.thread_post_ids[post.root_id].append(post.id)
            was_live = before is not None and before.delete_at == 0
            self.reply_counts[post.root_id] += (post.delete_at == 0) - was_live

    def _forget_post(self, post: Post) -> None:
        """Leave no trace of a post, as a permanent deletion does."""
        if self.posts.pop(post.id, None) is None:
            return
        self.channel_post_ids[post.channel_id].remove(post.id)
        if post.id in self.thread_post_ids[post.root_id]:
            self.thread_post_ids[post.root_id].remove(post.id)
            self.reply_counts[post.root_id] -= post.delete_at == 0
        self.reactions.pop(post.id, None)
        self._count_change(post)

    def _count_change(self, post: Post) -> None:
        self.channel_revisions[post.channel_id] += 1
        revision = self.channel_revisions[post.channel_id]
        self.thread_revisions[post.root_id or post.id] = revision

    def _keep_file(self, info: FileInfo) -> None:
        self.files[info.id] = info
        self._last_upload_at = max(self._last_upload_at, info.create_at)

    def _keep_reaction(self, reaction: Reaction) -> None:
        of_post = self.reactions[reaction.post_id]
        key = (reaction.user_id, reaction.emoji_name)
        if reaction.removed:
            of_post.pop(key, None)
        else:
            of_post[key] = reaction
        self._count_change(self.posts[reaction.post_id])

    def _keep_hook(self, hook: Hook) -> None:
        self.hooks[hook.id] = hook

    def _keep_command(self, command: Command) -> None:
        self.commands[command.id] = command
