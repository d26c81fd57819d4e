"""Error reports: what goes wrong in our processes, for Sentry, if its SDK is there and a DSN set.

A report is what is listed here and nothing else: the task, the reason, where it arose. Texts of
errors that are not ours are withheld, for they may quote a name, a message or an address.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import structlog

from settings import Settings

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

log = structlog.get_logger(__name__)

# Errors of these packages carry ids, status and reason, and no personal data.
OURS = ("tasks.", "models.", "inbound.")
WITHHELD = "(withheld)"
# All that is kept of an event. What is left out: the request, the user, local variables, arguments,
# breadcrumbs, the environment.
KEPT = (
    "event_id", "timestamp", "platform", "level", "exception", "tags", "transaction", "fingerprint",
    "release", "environment", "server_name", "sdk",
)  # fmt: skip
# Our own errors hold none; should one ever do, it does not get out.
_E_MAIL = re.compile(r"[^\s@'\"<>]+@[^\s@'\"<>]+")


def start_error_reports(settings: Settings, *, process: str) -> bool:
    """Begin to report what goes wrong in this process ("worker", "beat" or "web"); say whether.

    Without a DSN nothing happens. A missing SDK or a DSN that is none is logged, and work goes on.
    """
    if settings.sentry_dsn is None:
        return False
    reason = why_off(settings)
    if reason is not None:
        log.error("error_reports_off", reason=reason)
        return False
    import sentry_sdk

    _start(settings.sentry_dsn.get_secret_value())
    sentry_sdk.set_tag("process", process)
    log.info("error_reports_on", process=process)
    return True


def why_off(settings: Settings) -> str | None:
    """Return why nothing is reported although there is a DSN; None: there is none, or it is one."""
    if settings.sentry_dsn is None:
        return None
    try:
        from sentry_sdk.utils import Dsn
    except ImportError:
        return "SENTRY_DSN is set, but sentry-sdk is not installed"
    try:
        Dsn(settings.sentry_dsn.get_secret_value())
    except ValueError:
        # Its text quotes the DSN.
        return "SENTRY_DSN is no address of Sentry"
    return None


def _start(dsn: str) -> None:
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    from sentry_sdk.integrations.threading import ThreadingIntegration

    sentry_sdk.init(
        dsn,
        # Those for Celery, Flask, Redis and SQL would record arguments, addresses and statements,
        # and take their time with each message.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            # By default it prints lines of its own when the process ends.
            AtexitIntegration(callback=lambda pending, timeout: None),
            ExcepthookIntegration(),
            ThreadingIntegration(propagate_scope=False),
        ],
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=scrub,
    )


def report_error(error: BaseException, *, transaction: str, **tags: str) -> None:
    """Report an error, once reports were started; ``transaction`` is the task or the address."""
    import sentry_sdk

    with sentry_sdk.new_scope() as scope:
        scope.set_transaction_name(transaction)
        for name, value in tags.items():
            scope.set_tag(name, value)
        scope.capture_exception(error)


def scrub(event: Event, hint: Hint) -> Event:
    """Return what of the event may get out."""
    kept: Any = {name: value for name, value in event.items() if name in KEPT}
    for value in (kept.get("exception") or {}).get("values", ()):
        _scrub_exception(value)
    _, error, _ = hint.get("exc_info") or (None, None, None)
    reason = getattr(error, "reason", None)
    if reason is not None:
        # One issue for each reason: all failed messages arise in the same line.
        kept["tags"] = {**kept.get("tags", {}), "reason": str(reason)}
        kept["fingerprint"] = ["{{ default }}", str(reason)]
    return cast("Event", kept)


def _scrub_exception(value: dict[str, Any]) -> None:
    is_ours = str(value.get("module")).startswith(OURS)
    value["value"] = _E_MAIL.sub("(e-mail)", str(value.get("value"))) if is_ours else WITHHELD
    for frame in (value.get("stacktrace") or {}).get("frames", ()):
        frame.pop("vars", None)
