"""Passkeys and one-time codes from an app: who needs them, and whether this session has shown one."""

from allauth.mfa.adapter import DefaultMFAAdapter


class MFAAdapter(DefaultMFAAdapter):
    """How allauth's second factor meets our members."""
