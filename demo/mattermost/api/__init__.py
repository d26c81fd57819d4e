"""The routes of Mattermost's API, one module per kind of thing."""
