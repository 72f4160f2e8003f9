"""Facts and policies -> Decision."""
