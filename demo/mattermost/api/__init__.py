"""The routes of Mattermost's API, one module for each kind of object."""
