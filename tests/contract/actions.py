"""The request of each recorded case that is a single request."""

from collections.abc import Callable
from typing import Any, TypeAlias

from requests import Response

from tests.contract.server import PNG, ServerUnderTest

Action: TypeAlias = Callable[[ServerUnderTest], Response]

UNKNOWN_ID = "a" * 26


def _root(w: ServerUnderTest) -> str:
    return str(w.bot.posted(w.webchat_id, "root")["id"])


def _reply(w: ServerUnderTest, **fields: Any) -> dict[str, Any]:
    return w.bot.posted(w.webchat_id, "reply", root_id=_root(w), **fields)


def _agent_reply(w: ServerUnderTest) -> dict[str, Any]:
    files = [w.anna.file_id(w.webchat_id, f"agent{n}.txt") for n in range(2)]
    return w.anna.posted(w.webchat_id, "Hello", root_id=_root(w), file_ids=files)


def _reply_to_reply(w: ServerUnderTest) -> Response:
    return w.bot.post(w.webchat_id, "nested", root_id=_reply(w)["id"])


def _reply_to_deleted(w: ServerUnderTest) -> Response:
    root_id = _root(w)
    w.bot.delete(f"/posts/{root_id}")
    return w.bot.post(w.webchat_id, "late", root_id=root_id)


def _pending(w: ServerUnderTest, *, times: int) -> Response:
    key = f"{w.bot.user_id}:{_root(w)}"
    answers = [w.bot.post(w.webchat_id, "once", pending_post_id=key) for _ in range(times)]
    assert len({answer.json()["id"] for answer in answers}) == 1
    return answers[-1]


def _with_picture(w: ServerUnderTest) -> list[str]:
    note = w.bot.file_id(w.webchat_id)
    picture = w.bot.upload_form(w.webchat_id, "pic.png", PNG).json()["file_infos"][0]["id"]
    return [note, picture]


def _reused_file(w: ServerUnderTest) -> Response:
    file_id = w.bot.file_id(w.webchat_id)
    root_id = _reply(w, file_ids=[file_id])["root_id"]
    return w.bot.post(w.webchat_id, "again", root_id=root_id, file_ids=[file_id])


def _many_files(w: ServerUnderTest, count: int) -> Response:
    ids = [w.bot.file_id(w.webchat_id, f"n{n}.txt") for n in range(count)]
    return w.bot.post(w.webchat_id, "many", root_id=_root(w), file_ids=ids)


def _info_of_attached(w: ServerUnderTest) -> Response:
    file_ids = _with_picture(w)
    _reply(w, file_ids=file_ids)
    return w.bot.get(f"/files/{file_ids[1]}/info")


def _file_of_agent(w: ServerUnderTest) -> Response:
    return w.bot.get(f"/files/{_agent_reply(w)['file_ids'][0]}")


def _patch_reply(w: ServerUnderTest) -> Response:
    return w.anna.patch(_agent_reply(w)["id"], message="edited")


def _since(w: ServerUnderTest, *, delete: bool) -> Response:
    post = _agent_reply(w)
    w.anna.patch(post["id"], message="edited")
    if delete:
        w.anna.delete(f"/posts/{post['id']}")
    return w.bot.get(f"/channels/{w.webchat_id}/posts", since=post["create_at"] - 1)


def _deleted(w: ServerUnderTest) -> str:
    post_id = str(_agent_reply(w)["id"])
    w.anna.delete(f"/posts/{post_id}")
    return post_id


def _deleted_thread(w: ServerUnderTest) -> tuple[str, str]:
    reply = _reply(w)
    w.bot.delete(f"/posts/{reply['root_id']}")
    return reply["root_id"], reply["id"]


def _react(w: ServerUnderTest, *, times: int = 1) -> Response:
    post_id = _root(w)
    body = {"user_id": w.bot.user_id, "post_id": post_id, "emoji_name": "white_check_mark"}
    return [w.bot.send("/reactions", body) for _ in range(times)][-1]


def _unreact(w: ServerUnderTest) -> Response:
    post_id = _react(w).json()["post_id"]
    path = f"/users/{w.bot.user_id}/posts/{post_id}/reactions/white_check_mark"
    return w.bot.delete(path)


def _hook_body(w: ServerUnderTest, channel_id: str) -> dict[str, Any]:
    urls = ["http://127.0.0.1:9/x"]
    return {"team_id": w.team_id, "channel_id": channel_id, "callback_urls": urls}


def _some_hook(w: ServerUnderTest) -> dict[str, Any]:
    # The recorded hook has a list. A hook that is made without trigger words has null.
    return w.admin.hook(w.team_id, w.second_id, "http://127.0.0.1:9/hook", trigger_words=[])


def _regenerated(w: ServerUnderTest) -> Response:
    hook = _some_hook(w)
    answer = w.admin.send(f"/hooks/outgoing/{hook['id']}/regen_token", {})
    assert answer.json()["token"] != hook["token"]
    return answer


def _put_hook(w: ServerUnderTest, *, with_token: bool) -> Response:
    hook = _some_hook(w)
    body = dict(hook) if with_token else {k: v for k, v in hook.items() if k != "token"}
    answer = w.admin.put(f"/hooks/outgoing/{hook['id']}", body)
    kept = w.admin.get(f"/hooks/outgoing/{hook['id']}").json()["token"]
    assert kept == (hook["token"] if with_token else "")
    return answer


def _after_removal(w: ServerUnderTest) -> Response:
    bot, _ = w.new_bot()
    w.admin.delete(f"/channels/{w.second_id}/members/{bot.user_id}")
    return bot.post(w.second_id)


def _after_token_disabled(w: ServerUnderTest) -> Response:
    bot, token_id = w.new_bot()
    w.admin.send("/users/tokens/disable", {"token_id": token_id})
    return bot.post(w.webchat_id)


def _after_bot_switched(w: ServerUnderTest, *changes: str) -> Response:
    bot, _ = w.new_bot()
    for change in changes:
        w.admin.send(f"/bots/{bot.user_id}/{change}", {})
    return bot.post(w.webchat_id)


def _hidden_email(w: ServerUnderTest) -> Response:
    with w.settings(PrivacySettings={"ShowEmailAddress": False}):
        answer = w.bot.get(f"/users/{w.anna.user_id}")
    assert answer.json()["email"] == ""
    return answer


def _too_large(w: ServerUnderTest, *, form: bool) -> Response:
    with w.settings(FileSettings={"MaxFileSize": 1000}):
        upload = w.bot.upload_form if form else w.bot.upload
        return upload(w.webchat_id, "big.bin", b"x" * 2000)


def _files_disabled(w: ServerUnderTest) -> Response:
    with w.settings(FileSettings={"EnableFileAttachments": False}):
        return w.bot.upload(w.webchat_id, "x.txt", b"x")


def _wrong_base_path(w: ServerUnderTest) -> Response:
    return w.bot.session.get(f"{w.bot.url}/mattermost/api/v4/users/me", timeout=30)


_OVERRIDE = {
    "override_username": "Visitor",
    "override_icon_url": "http://x/y.png",
    "from_webhook": "true",
}

ACTIONS: dict[str, Action] = {
    "me": lambda w: w.bot.get("/users/me"),
    "me.bad_token": lambda w: w.stranger.get("/users/me"),
    "me.no_token": lambda w: w.anonymous.get("/users/me"),
    "ping": lambda w: w.anonymous.get("/system/ping"),
    "channel.get": lambda w: w.bot.get(f"/channels/{w.webchat_id}"),
    "channel.get.not_member_public": lambda w: w.bot.get(f"/channels/{w.elsewhere_id}"),
    "channel.member.me": lambda w: w.bot.get(f"/channels/{w.webchat_id}/members/me"),
    "channel.member.me.not_member": lambda w: w.bot.get(f"/channels/{w.elsewhere_id}/members/me"),
    "channel.get.unknown": lambda w: w.bot.get(f"/channels/{UNKNOWN_ID}"),
    "channel.get.malformed": lambda w: w.bot.get("/channels/nonsense"),
    "channel.by_name": lambda w: w.bot.get(
        f"/teams/name/{w.team_name}/channels/name/{w.webchat_name}"
    ),
    "channel.by_name.unknown": lambda w: w.bot.get(f"/teams/name/{w.team_name}/channels/name/nope"),
    "post.root": lambda w: w.bot.post(
        w.webchat_id, "root **post**", props={"ireserve": {"conversation_id": "c-1"}}
    ),
    "post.reply": lambda w: w.bot.post(w.webchat_id, "**Visitor**: hi", root_id=_root(w)),
    "post.reply.to_reply": _reply_to_reply,
    "post.reply.unknown_root": lambda w: w.bot.post(w.webchat_id, root_id=UNKNOWN_ID),
    "post.reply.malformed_root": lambda w: w.bot.post(w.webchat_id, root_id="zzz"),
    "post.reply.other_channel_root": lambda w: w.bot.post(w.second_id, root_id=_root(w)),
    "post.not_member_public": lambda w: w.bot.post(w.elsewhere_id),
    "post.unknown_channel": lambda w: w.bot.post(UNKNOWN_ID),
    "post.malformed_channel": lambda w: w.bot.post("zzz"),
    "post.no_channel": lambda w: w.bot.send("/posts", {"message": "x"}),
    "post.empty": lambda w: w.bot.post(w.webchat_id, ""),
    "post.blank": lambda w: w.bot.post(w.webchat_id, "   "),
    "post.max_length": lambda w: w.bot.post(w.webchat_id, "é" * 16383),
    "post.too_long": lambda w: w.bot.post(w.webchat_id, "x" * 16384),
    "post.bad_token": lambda w: w.stranger.post(w.webchat_id),
    "post.bad_json": lambda w: w.bot.call("POST", "/posts", data="{"),
    "post.props_too_big": lambda w: w.bot.post(w.webchat_id, props={"k": "v" * 9000}),
    "post.nul": lambda w: w.bot.post(w.webchat_id, "a\0b"),
    "post.channel_mention": lambda w: w.bot.post(
        w.webchat_id, "@channel hello", props={"disable_group_highlight": True}
    ),
    "post.override_username": lambda w: w.bot.post(w.webchat_id, props=_OVERRIDE),
    "post.pending.first": lambda w: _pending(w, times=1),
    "post.pending.second": lambda w: _pending(w, times=2),
    "post.archived_channel": lambda w: w.bot.post(w.archived_id),
    "file.raw": lambda w: w.bot.upload(w.webchat_id, "note.txt", b"hello"),
    "file.multipart": lambda w: w.bot.upload_form(w.webchat_id, "pic.png", PNG),
    "file.empty": lambda w: w.bot.upload(w.webchat_id, "empty.txt", b""),
    "file.no_channel": lambda w: w.bot.call("POST", "/files?filename=x.txt", data=b"x"),
    "file.not_member": lambda w: w.bot.upload(w.elsewhere_id, "x.txt", b"x"),
    "post.with_files": lambda w: w.bot.post(
        w.webchat_id, "", root_id=_root(w), file_ids=_with_picture(w)
    ),
    "post.reused_file": _reused_file,
    "post.unknown_file": lambda w: w.bot.post(
        w.webchat_id, "again", root_id=_root(w), file_ids=[UNKNOWN_ID]
    ),
    "post.ten_files": lambda w: _many_files(w, 10),
    "post.eleven_files": lambda w: _many_files(w, 11),
    "file.info": _info_of_attached,
    "file.info.unknown": lambda w: w.bot.get(f"/files/{UNKNOWN_ID}/info"),
    "file.get": _file_of_agent,
    "user.agent_by_bot": lambda w: w.bot.get(f"/users/{w.anna.user_id}"),
    "user.unknown": lambda w: w.bot.get(f"/users/{UNKNOWN_ID}"),
    "post.bot_for_hook": lambda w: w.bot.post(w.webchat_id, "by bot", root_id=_root(w)),
    "post.agent_reply": lambda w: w.anna.post(
        w.webchat_id, "Hello", root_id=_root(w), file_ids=[w.anna.file_id(w.webchat_id)]
    ),
    "post.agent_file_only": lambda w: w.anna.post(w.webchat_id, "", root_id=_root(w), file_ids=[]),
    "post.agent_file_only2": lambda w: w.anna.post(
        w.webchat_id, "", root_id=_root(w), file_ids=[w.anna.file_id(w.webchat_id)]
    ),
    "post.agent_private": lambda w: w.anna.post(w.private_id, "in private"),
    "post.patch": _patch_reply,
    "channel.posts.since": lambda w: _since(w, delete=False),
    "thread.get": lambda w: w.bot.get(f"/posts/{_reply(w)['root_id']}/thread"),
    "post.get": lambda w: w.bot.get(f"/posts/{_agent_reply(w)['id']}"),
    "post.get.unknown": lambda w: w.bot.get(f"/posts/{UNKNOWN_ID}"),
    "reaction.add": _react,
    "reaction.add.again": lambda w: _react(w, times=2),
    "reaction.remove": _unreact,
    "post.delete": lambda w: w.anna.delete(f"/posts/{_agent_reply(w)['id']}"),
    "post.get.deleted": lambda w: w.bot.get(f"/posts/{_deleted(w)}"),
    "channel.posts.since.after_delete": lambda w: _since(w, delete=True),
    "root.delete": lambda w: w.bot.delete(f"/posts/{_root(w)}"),
    "post.reply.deleted_root": _reply_to_deleted,
    "thread.get.deleted": lambda w: w.bot.get(f"/posts/{_deleted_thread(w)[0]}/thread"),
    "post.get.reply_of_deleted_root": lambda w: w.bot.get(f"/posts/{_deleted_thread(w)[1]}"),
    "hook.list.by_bot": lambda w: w.bot.get("/hooks/outgoing", team_id=w.team_id),
    "hook.get.by_admin": lambda w: w.admin.get(f"/hooks/outgoing/{_some_hook(w)['id']}"),
    "hook.create.by_bot": lambda w: w.bot.send("/hooks/outgoing", _hook_body(w, w.webchat_id)),
    "hook.create.private_by_admin": lambda w: w.admin.send(
        "/hooks/outgoing", _hook_body(w, w.private_id)
    ),
    "hook.regen": _regenerated,
    "hook.put.keep_token": lambda w: _put_hook(w, with_token=True),
    "hook.put.without_token": lambda w: _put_hook(w, with_token=False),
    "post.removed_from_channel": _after_removal,
    "post.token_disabled": _after_token_disabled,
    "post.bot_disabled": lambda w: _after_bot_switched(w, "disable"),
    "post.bot_enabled_again": lambda w: _after_bot_switched(w, "disable", "enable"),
    "user.email_hidden": _hidden_email,
    "file.too_large.raw": lambda w: _too_large(w, form=False),
    "file.too_large.multipart": lambda w: _too_large(w, form=True),
    "file.disabled": _files_disabled,
    "post.with_id": lambda w: w.bot.post(w.webchat_id, id=UNKNOWN_ID),
    "wrong_base_path": _wrong_base_path,
    "wrong_method": lambda w: w.bot.put("/posts", {}),
}
