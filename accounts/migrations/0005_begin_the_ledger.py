"""What the members there are agree to, as the first rows of their ledgers; a second run adds nothing."""

from django.db import migrations

GRANTED = {
    ("orders", "email"): "u.order_channel = 'email'",
    ("orders", "sms"): "u.order_channel = 'sms'",
    ("reminders", "email"): "u.reminder_channel = 'email'",
    ("reminders", "sms"): "u.reminder_channel = 'sms'",
    ("offers", "email"): "u.email_consent",
    ("offers", "sms"): "u.sms_consent",
}
STATEMENTS = [
    "INSERT INTO accounts_consententry (member_id, purpose, channel, given, at, source, wording) "
    f"SELECT u.id, '{purpose}', '{channel}', TRUE, CURRENT_TIMESTAMP, "
    "CASE WHEN u.claimed_at IS NULL THEN 'import' ELSE 'join' END, '' FROM accounts_user u "
    f"WHERE {condition} AND NOT EXISTS (SELECT 1 FROM accounts_consententry e WHERE e.member_id = u.id "
    f"AND e.purpose = '{purpose}' AND e.channel = '{channel}')"
    for (purpose, channel), condition in GRANTED.items()
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_history_and_roles")]
    operations = [migrations.RunSQL(STATEMENTS, migrations.RunSQL.noop)]
