"""``licence``: the licences, and what belongs to them."""

from __future__ import annotations

import click

from tasks.cli.command import Command, Group
from tasks.cli.licence.options import (
    hints_option,
    mention_option,
    names_option,
    receipts_option,
    replies_option,
    reply_pause_option,
    reply_prefixes_option,
)
from tasks.cli.licence.reading import language_option, time_zone_option
from tasks.cli.options import licence_argument, yes_option


@click.group(cls=Group)
def licence() -> None:
    """Licences (tenants) and their Mattermost."""


@licence.command("add", cls=Command, runs="tasks.cli.licence.add:add")
@licence_argument
@click.option("--url", required=True, help="Address of the Mattermost server, with its subpath.")
@click.option("--team", required=True, help="The team's name as in its URL.")
@click.option("--channel", required=True, help="The default channel's name as in its URL.")
@click.option(
    "--token-file",
    type=click.File(),
    help="Read the bot's token from this file (- for standard input); asked for if not given.",
)
@click.option(
    "--admin-token-file",
    type=click.File(),
    help="With an administrator's token the outgoing webhook is made as well. It is used once, "
    "and not stored.",
)
@click.option(
    "--callback-url",
    help="Where Mattermost reaches the web process: https://HOST/mattermost/replies.",
)
@mention_option
@names_option
@replies_option
@reply_prefixes_option
@reply_pause_option
@receipts_option
@hints_option
@language_option
@time_zone_option
def add() -> None:
    """Register LICENCE, or bring it up to date.

    Tries server, token, team and channel before anything is stored, and prints what to do next.
    Workers notice a change within 5 s.
    """


@licence.command("edit", cls=Command, runs="tasks.cli.licence.edit:edit")
@licence_argument
@click.option("--url", help="Address of the Mattermost server, with its subpath.")
@click.option("--team", help="The team's name as in its URL.")
@click.option("--channel", help="The default channel's name as in its URL.")
@click.option(
    "--token-file", type=click.File(), help="Read the bot's new token from it (- for stdin)."
)
@mention_option
@click.option("--no-mention", is_flag=True, help="Mention no member from now on.")
@names_option
@click.option(
    "--note-prefixes",
    help="Words, separated by spaces, with which a reply for the team alone begins.",
)
@replies_option
@reply_prefixes_option
@reply_pause_option
@receipts_option
@hints_option
@language_option
@time_zone_option
def edit() -> None:
    """Change what is given of LICENCE, and nothing else.

    A new server, team, channel or token is tried first. Conversations that have a thread keep it;
    those that begin from now on are in the new channel. Workers notice within 5 s.
    """


@licence.command("list", cls=Command, runs="tasks.cli.licence.group:list_licences")
def list_licences() -> None:
    """List all licences."""


@licence.command("show", cls=Command, runs="tasks.cli.licence.group:show_licence")
@licence_argument
def show_licence() -> None:
    """Show all that is stored of LICENCE but its secrets."""


@licence.command("disable", cls=Command, runs="tasks.cli.licence.group:disable")
@licence_argument
def disable() -> None:
    """Stop LICENCE.

    Within 5 s its messages fail (re-send them later), and its replies are refused.
    """


@licence.command("enable", cls=Command, runs="tasks.cli.licence.group:enable")
@licence_argument
def enable() -> None:
    """Let LICENCE go on after it was disabled."""


@licence.command("remove", cls=Command, runs="tasks.cli.licence.group:remove")
@licence_argument
@yes_option
def remove() -> None:
    """Remove LICENCE and all that is stored for it.

    Its conversations, replies and their files, users, webhook tokens, ledger and waiting messages
    go with it. Mattermost keeps its posts and the outgoing webhook, which is refused from now on.
    """


@licence.command("notify", cls=Command, runs="tasks.cli.licence.notify:notify")
@licence_argument
@click.argument("notification_type", metavar="[TYPE]", required=False)
@click.argument("channel", metavar="[CHANNEL]", required=False)
@click.option("--off", is_flag=True, help="Send no notifications of this type.")
@click.option("--list", "as_list", is_flag=True, help="List what is mapped to which channel.")
def notify() -> None:
    """Map a type of notification to a channel.

    Notifications of TYPE go to CHANNEL; with --off none of them is sent. A type that is not mapped
    goes to the default channel. Workers notice within 5 s.
    """


@licence.command("webhook", cls=Command, runs="tasks.cli.licence.webhook:webhook")
@licence_argument
@click.option(
    "--token-file",
    type=click.File(),
    help="Read the webhook's token from this file (- for standard input).",
)
@click.option("--finish", is_flag=True, help="Refuse all of the licence's tokens but the newest.")
@click.option("--forget", is_flag=True, help="Refuse the given token from now on.")
def webhook() -> None:
    """Accept the token of an outgoing webhook.

    LICENCE takes it beside those that it has. After a token was regenerated in Mattermost: give the
    new one, then --finish. With a webhook for each channel there is a token for each of them: then
    --forget the old one instead.
    """
