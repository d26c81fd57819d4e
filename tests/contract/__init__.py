"""What a Mattermost 6.7.2 server was seen to do, held against the stand-in or a real server."""
