"""Whether a server still shows the names and icons of our posts, asked with each catch-up.

An administrator may switch them off at any time. Posts that were written without a header then no
longer say who spoke, so that the next ones must.
"""

from __future__ import annotations

import structlog
from sqlalchemy import update

from models import Database, Licence, Names
from tasks.licences.access import LicenceAccess
from tasks.mattermost import MattermostClient, MattermostError

log = structlog.get_logger(__name__)


def look_at_own_names(database: Database, client: MattermostClient, licence: LicenceAccess) -> None:
    """Store whether the server shows them, for a licence whose people are their posts' authors.

    A server that cannot be asked leaves what is stored; catch-up itself says what is wrong.
    """
    if licence.names is not Names.AUTHOR:
        return
    try:
        allows = client.get_client_config().shows_own_names
        if allows == licence.allows_own_names:
            return
        # To a token that it does not take a server tells only part of its settings.
        client.get_me()
    except MattermostError:
        return
    with database.transaction() as session:
        session.execute(
            update(Licence).where(Licence.id == licence.id).values(allows_own_names=allows)
        )
    log.info("own_names_changed", licence_id=licence.id, allows_own_names=allows)
