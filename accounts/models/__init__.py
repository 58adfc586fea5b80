"""people: members, addresses. consents: what they agreed to. records: what staff and members did about them."""

from accounts.models.consents import ConsentEntry
from accounts.models.people import Address, LowerEmailField, User, UserManager, new_member_no, validate_time_zone
from accounts.models.records import DataExport, ErasedMember, Impersonation, Merge

__all__ = [
    "Address",
    "ConsentEntry",
    "DataExport",
    "ErasedMember",
    "Impersonation",
    "LowerEmailField",
    "Merge",
    "User",
    "UserManager",
    "new_member_no",
    "validate_time_zone",
]
