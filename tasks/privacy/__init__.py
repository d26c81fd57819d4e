"""Reports on personal data, its erasure and its retention."""
