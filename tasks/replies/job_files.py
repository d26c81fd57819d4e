"""The files of a reply that is being recorded: fetch them, and remove those it no longer has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tasks.attachments.store import AttachmentStore
from tasks.replies import unowned_files
from tasks.replies.backoff import MAX_ATTEMPTS
from tasks.replies.files import Fetching
from tasks.replies.owners import ThreadOwner
from tasks.replies.questions import ReplyJob


def fetching_of(job: ReplyJob, owner: ThreadOwner) -> Fetching:
    """Return what it takes to fetch the reply's files."""
    return Fetching(
        client=job.client,
        store=_store(job),
        licence_id=job.licence.id,
        conversation_id=owner.conversation_id,
        limit_bytes=job.licence.max_file_size_bytes,
        known={file.file_id: file for file in job.known.files},
        is_last=job.known.attempts + 1 >= MAX_ATTEMPTS,
        extend=job.extend,
        write_down=partial(_write_down, job),
    )


def _write_down(job: ReplyJob, paths: Sequence[str]) -> None:
    known = job.known
    with job.runtime.database.autocommit() as connection:
        unowned_files.write_down(
            connection, licence_id=known.licence_id, post_id=known.post_id, paths=paths
        )


def _store(job: ReplyJob) -> AttachmentStore:
    return AttachmentStore(job.runtime.settings.attachments_url)


def remove_files(job: ReplyJob) -> None:
    """Remove the files that the reply no longer has.

    If the store cannot remove a file now, its path stays written down, and a periodic task tries
    again.
    """
    unowned_files.remove_of_post(
        job.runtime.database,
        _store(job),
        job.known.licence_id,
        job.known.post_id,
        on_progress=job.extend,
    )
