"""The team's replies: a post's id comes in, the reply is recorded, and i-Reserve is told of it."""
