"""Compare the stand-in, or a real server, with the recorded behaviour of real servers."""
