"""What real Mattermost servers were seen to do, held against the stand-in or a real server."""
