"""i-Reserve as the demo plays it: a web chat with a store of its own, on the other side of us."""
