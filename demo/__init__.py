"""The demo: a stand-in Mattermost server, an embedded installation, and a sample conversation."""
