"""Members for staff: who they are, what was changed about them and by whom."""

from accounts.admin import elsewhere, gate, members

__all__ = ["elsewhere", "gate", "members"]
