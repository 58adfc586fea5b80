"""Members for staff: who they are, what was changed about them and by whom."""

from accounts.admin import elsewhere, factors, gate, groups, looks, members, merging

__all__ = ["elsewhere", "factors", "gate", "groups", "looks", "members", "merging"]
