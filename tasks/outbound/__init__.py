"""What we send: messages, notifications and users, from their lanes to the ledger's last word."""
