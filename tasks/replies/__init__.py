"""The team's replies: from a known post id to a recorded reply that i-Reserve has been told of."""
