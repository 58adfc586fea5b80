"""The members' own pages; signing in and joining are allauth's."""
