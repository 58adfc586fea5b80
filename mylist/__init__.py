"""The personal list: its predictions, its one-tap reorder and its reminders."""
