"""What became of a message, announced after it is committed.

Both carry `key`, `purpose` and `at`; message_dropped also `reason`. A listener may miss one (a worker can die between
the commit and the call), so whoever keeps a record of their own compares it with the outbox now and then.
"""

from django.dispatch import Signal

message_sent = Signal()
message_dropped = Signal()
