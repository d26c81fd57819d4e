"""The demo's i-Reserve: a web chat with its own store, which is the host."""
