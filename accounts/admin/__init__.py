"""Members for staff: who they are, what was changed about them and by whom."""

from accounts.admin import gate, members

__all__ = ["gate", "members"]
