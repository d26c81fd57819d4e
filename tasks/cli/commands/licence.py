"""``licence``: the commands about licences and what belongs to them."""

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
    help="Read the bot's token from this file (- for standard input). Without it you are asked.",
)
@click.option(
    "--admin-token-file",
    type=click.File(),
    help="Also create the outgoing webhook, with the administrator's token in this file. The token "
    "is used once, and not stored.",
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

    Tries server, token, team and channel before it stores anything, and prints what to do next.
    Workers use a change within 5 s.
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
    help="Words, separated by spaces. A post that begins with one is only for the team.",
)
@replies_option
@reply_prefixes_option
@reply_pause_option
@receipts_option
@hints_option
@language_option
@time_zone_option
def edit() -> None:
    """Change the given settings of LICENCE, and no others.

    Tries a new server, team, channel or token first. Existing threads stay where they are; new
    conversations begin in the new channel. Workers use a change within 5 s.
    """


@licence.command("list", cls=Command, runs="tasks.cli.licence.group:list_licences")
def list_licences() -> None:
    """List all licences."""


@licence.command("show", cls=Command, runs="tasks.cli.licence.group:show_licence")
@licence_argument
def show_licence() -> None:
    """Show what is stored for LICENCE, except its secrets."""


@licence.command("disable", cls=Command, runs="tasks.cli.licence.group:disable")
@licence_argument
def disable() -> None:
    """Stop LICENCE.

    From 5 s on at the latest, its messages fail and its replies are refused. You can re-send the
    messages later.
    """


@licence.command("enable", cls=Command, runs="tasks.cli.licence.group:enable")
@licence_argument
def enable() -> None:
    """Start LICENCE again after it was disabled."""


@licence.command("remove", cls=Command, runs="tasks.cli.licence.group:remove")
@licence_argument
@yes_option
def remove() -> None:
    """Remove LICENCE and everything that is stored for it.

    This includes its conversations, replies and their files, users, webhook tokens, ledger and
    waiting messages. Mattermost keeps its posts. It also keeps the outgoing webhook, whose calls
    are refused from now on.
    """


@licence.command("notify", cls=Command, runs="tasks.cli.licence.notify:notify")
@licence_argument
@click.argument("notification_type", metavar="[TYPE]", required=False)
@click.argument("channel", metavar="[CHANNEL]", required=False)
@click.option("--off", is_flag=True, help="Send no notifications of this type.")
@click.option("--list", "as_list", is_flag=True, help="List which type goes to which channel.")
def notify() -> None:
    """Map a type of notification to a channel.

    Notifications of TYPE go to CHANNEL; with --off none of them is sent. A type without a channel
    goes to the default channel. Workers use a change within 5 s.
    """


@licence.command("webhook", cls=Command, runs="tasks.cli.licence.webhook:webhook")
@licence_argument
@click.option(
    "--token-file",
    type=click.File(),
    help="Read the webhook's token from this file (- for standard input).",
)
@click.option(
    "--finish", is_flag=True, help="Refuse all of the licence's tokens except the newest."
)
@click.option("--forget", is_flag=True, help="Refuse the given token from now on.")
def webhook() -> None:
    """Accept the token of an outgoing webhook.

    LICENCE accepts it in addition to the tokens that it has. After you have regenerated a token in
    Mattermost, store the new one, then use --finish. If several channels have a webhook each, use
    --forget with the old token instead.
    """
