"""A leaf: one outbox, one adapter a channel, one dispatcher. Knows nobody."""
