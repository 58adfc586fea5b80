"""The demo shop's members and their purchases."""
