"""The types of the public tasks, as i-Reserve's editor and type checker see them."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Callable,
    Mapping,
    Protocol,
    TypedDict,
    Union,
    cast,
)

from ireserve_mattermost.app import app
from ireserve_mattermost.message_task import MessageTask

if TYPE_CHECKING:
    from typing_extensions import ParamSpec

    Arguments = ParamSpec("Arguments")

Id = Union[str, int]


class _Named(TypedDict):
    name: str


class AttachmentDict(_Named, total=False):
    """A file: its name, and exactly one of ``url`` and ``path`` (in the attachment store)."""

    url: str
    path: str
    content_type: str


class FieldDict(TypedDict):
    """A notification's field in Mattermost's own form."""

    title: str
    value: str | int | float


class Enqueued(Protocol):
    """The result of ``.delay()``: the message is in its lane."""

    @property
    def id(self) -> str:
        """The id of the Celery task."""


if TYPE_CHECKING:

    class Prepared(Protocol):
        """A call with its arguments, to be made later."""

        def delay(self) -> Enqueued:
            """Enqueue the message."""

    class PublicTask(Protocol[Arguments]):
        """A public task: call it with ``delay``, not like a function."""

        name: str

        def delay(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Enqueued:
            """Enqueue the message."""

        def s(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Prepared:
            """Return the call with its arguments, to be made later."""

        def apply_async(
            self,
            args: tuple[object, ...] = (),
            kwargs: Mapping[str, object] | None = None,
            task_id: str | None = None,
            *,
            context: Mapping[str, str] | None = None,
        ) -> Enqueued:
            """Enqueue the message, with a context for the workers' logs."""


def message_task(
    *, name: str, kind: str
) -> Callable[[Callable[Arguments, None]], PublicTask[Arguments]]:
    """Return a decorator that turns a declaration into a public task."""

    def decorate(declaration: Callable[Arguments, None]) -> PublicTask[Arguments]:
        task = app.task(base=MessageTask, name=name, kind=kind)(declaration)
        return cast("PublicTask[Arguments]", task)

    return decorate
