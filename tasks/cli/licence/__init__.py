"""``ireserve-mattermost licence``: the licences and all that belongs to them."""
