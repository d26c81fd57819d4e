"""``ireserve-mattermost licence``: manage licences and what belongs to them."""
