"""Error reports for Sentry, if its SDK is installed and a DSN is set.

A report has only what is listed here: the task, the reason, and the place in the code. The texts of
other packages' errors are withheld, since they may quote a name, a message or an address.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import structlog

from settings import Settings

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

log = structlog.get_logger(__name__)

# The errors of these packages have ids, status and reason, and no personal data.
OURS = ("tasks.", "models.", "inbound.")
WITHHELD = "(withheld)"
# Why nothing is reported.
NOT_INSTALLED = "SENTRY_DSN is set, but sentry-sdk is not installed"
NO_ADDRESS = "SENTRY_DSN is no address of Sentry"
# The parts of an event that are kept. The request, the user, local variables, arguments,
# breadcrumbs and the environment's variables are left out.
KEPT = (
    "event_id", "timestamp", "platform", "level", "exception", "tags", "transaction", "fingerprint",
    "release", "environment", "server_name", "sdk",
)  # fmt: skip
# Our own errors hold no e-mail address. This is for a mistake: no address may leave in a report.
_E_MAIL = re.compile(r"[^\s@'\"<>]+@[^\s@'\"<>]+")


def start_error_reports(settings: Settings, *, process: str) -> bool:
    """Start error reports of this process ("worker", "beat" or "web"); return whether they run.

    Without a DSN nothing happens. If the SDK is missing or the DSN is invalid, this is logged, and
    the process goes on.
    """
    if settings.sentry_dsn is None:
        return False
    dsn = settings.sentry_dsn.get_secret_value()
    reason = why_off(dsn)
    if reason is not None:
        log.error("error_reports_off", reason=reason)
        return False
    import sentry_sdk

    _start(dsn)
    sentry_sdk.set_tag("process", process)
    log.info("error_reports_on", process=process)
    return True


def why_off(dsn: str) -> str | None:
    """Return why nothing is reported in spite of this DSN; None: it can be used."""
    try:
        import sentry_sdk.utils
    except ImportError:
        return NOT_INSTALLED
    try:
        sentry_sdk.utils.Dsn(dsn)
    except ValueError:
        # The error's text quotes the DSN, so it is not shown.
        return NO_ADDRESS
    return None


def _start(dsn: str) -> None:
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    from sentry_sdk.integrations.threading import ThreadingIntegration

    sentry_sdk.init(
        dsn,
        # The integrations for Celery, Flask, Redis and SQL would record arguments, addresses and
        # statements, and would take time for each message.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            # By default this integration prints lines when the process ends.
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
    """Report an error, if reports were started; ``transaction`` is the task or the address."""
    import sentry_sdk

    with sentry_sdk.new_scope() as scope:
        scope.set_transaction_name(transaction)
        for name, value in tags.items():
            scope.set_tag(name, value)
        scope.capture_exception(error)


def scrub(event: Event, hint: Hint) -> Event:
    """Return the event with only what may leave the process."""
    kept: Any = {name: value for name, value in event.items() if name in KEPT}
    for value in (kept.get("exception") or {}).get("values", ()):
        _scrub_exception(value)
    _, error, _ = hint.get("exc_info") or (None, None, None)
    reason = getattr(error, "reason", None)
    if reason is not None:
        # All failed messages arise in the same line of code, so each reason gets its own issue.
        kept["tags"] = {**kept.get("tags", {}), "reason": str(reason)}
        kept["fingerprint"] = ["{{ default }}", str(reason)]
    return cast("Event", kept)


def _scrub_exception(value: dict[str, Any]) -> None:
    is_ours = str(value.get("module")).startswith(OURS)
    value["value"] = _E_MAIL.sub("(e-mail)", str(value.get("value"))) if is_ours else WITHHELD
    for frame in (value.get("stacktrace") or {}).get("frames", ()):
        frame.pop("vars", None)
