"""people: members, addresses. consents: what they agreed to. records: what staff and members did about them.

doubtful: their doubtful birthdays. history: how changes are recorded. roles: what staff may do.
"""

from accounts.models.consents import ConsentEntry
from accounts.models.doubtful import DoubtfulBirthday
from accounts.models.history import History, record_update
from accounts.models.people import Address, LowerEmailField, User, UserManager, new_member_no, validate_time_zone
from accounts.models.records import DataExport, ErasedMember, Impersonation, Merge
from accounts.models.roles import Role

__all__ = [
    "Address",
    "ConsentEntry",
    "DataExport",
    "DoubtfulBirthday",
    "ErasedMember",
    "History",
    "Impersonation",
    "LowerEmailField",
    "Merge",
    "Role",
    "User",
    "UserManager",
    "new_member_no",
    "record_update",
    "validate_time_zone",
]
