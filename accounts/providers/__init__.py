"""Signing in with an account somewhere else: Google, Facebook, LINE, any OpenID Connect provider."""
