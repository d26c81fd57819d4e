"""The doctor's checks of the stage's licence, without those that need workers."""

from __future__ import annotations

from typing import Any

from ireserve_mattermost.connections import worker_redis
from tasks.checks.licence import CheckContext, check_licence, load_licences
from tasks.replies.webhook_tokens import add_token
from tasks.runtime import connect
from tests.stage.stage import CHANNEL, LICENCE, TEAM, Stage

PLACE = f"{TEAM}/{CHANNEL}"
THE_CHANNEL = f"channel ~{CHANNEL}"
HOOK_TOKEN = "h" * 26


def store_hook_token(stage: Stage) -> None:
    """Store the token of the licence's webhook."""
    with stage.runtime.database.transaction() as session:
        add_token(session, LICENCE, token=HOOK_TOKEN)


def examine(stage: Stage, **more: Any) -> dict[str, tuple[str, str, str]]:
    """Return state, sentence and cure of each check of the licence by name."""
    runtime = stage.runtime
    with runtime.database.transaction() as session:
        (stored,) = load_licences(session, LICENCE)
    context = CheckContext(
        settings=runtime.settings,
        keyring=lambda: runtime.licences._keyring,
        connect=lambda url, token: connect(runtime.settings, url, token),
        redis=worker_redis(runtime.settings.redis_url),
        **more,
    )
    checks = check_licence(stored, context).checks
    return {check.name: (check.state.value, check.sentence, check.cure) for check in checks}
