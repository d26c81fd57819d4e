"""What a server allows our posts that it may cease to allow, asked with each catch-up.

An administrator may switch names and icons off at any time. Posts that were written without a
header then no longer say who spoke, so that the next ones must. And a limit of the time for edits,
which a refused card has found, may be taken away again.
"""

from __future__ import annotations

import structlog
from sqlalchemy import update

from models import Database, Licence, Names
from tasks.licences.access import LicenceAccess
from tasks.mattermost import MattermostClient, MattermostError

log = structlog.get_logger(__name__)


def look_at_settings(database: Database, client: MattermostClient, licence: LicenceAccess) -> None:
    """Store what the server allows, for a licence for which it matters now.

    That is one whose people are their posts' authors, or whose roots cannot be edited.
    A server that cannot be asked leaves what is stored; catch-up itself says what is wrong.
    """
    if licence.names is not Names.AUTHOR and licence.allows_edits:
        return
    try:
        config = client.get_client_config()
        allows, edits = config.shows_own_names, config.allows_edits
        if (allows, edits) == (licence.allows_own_names, licence.allows_edits):
            return
        # To a token that it does not take a server tells only part of its settings.
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
