"""Settings of a Mattermost server that may change at any time, read with each catch-up.

An administrator may switch off the names and icons of posts. Posts without a header then no longer
say who spoke, so new posts get one. An administrator may also remove the time limit for edits that
made the server refuse the change of a card.
"""

from __future__ import annotations

import structlog
from sqlalchemy import update

from models import Database, Licence, Names
from tasks.licences.access import LicenceAccess
from tasks.mattermost import MattermostClient, MattermostError

log = structlog.get_logger(__name__)


def look_at_settings(database: Database, client: MattermostClient, licence: LicenceAccess) -> None:
    """Store what the server allows, for a licence for which this matters now.

    It matters if people are shown as their posts' authors, or if root posts cannot be edited.
    If the server cannot be asked, nothing changes; catch-up itself logs what is wrong.
    """
    if licence.names is not Names.AUTHOR and licence.allows_edits:
        return
    try:
        config = client.get_client_config()
        allows, edits = config.allows_author_override, config.allows_edits
        if (allows, edits) == (licence.allows_own_names, licence.allows_edits):
            return
        # To a token that it refuses a server shows only part of its settings; then this call fails.
        client.get_me()
    except MattermostError:
        return
    with database.transaction() as session:
        session.execute(
            update(Licence)
            .where(Licence.id == licence.id)
            .values(allows_own_names=allows, allows_edits=edits)
        )
    if allows != licence.allows_own_names:
        log.info("own_names_changed", licence_id=licence.id, allows_own_names=allows)
    if edits != licence.allows_edits:
        log.info("edits_changed", licence_id=licence.id, allows_edits=edits)
