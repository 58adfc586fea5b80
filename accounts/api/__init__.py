"""What a member's app can ask about the member."""
