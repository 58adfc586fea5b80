"""What accounts announces, always after the transaction that did it is committed."""

from django.dispatch import Signal

members_merged = Signal()  # carries member_ids: rows went from one record to another, or back
