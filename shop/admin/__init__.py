"""The shop as staff see it: a catalogue to be kept, orders and purchases to look up, birthdays to be mended."""

from shop.admin import birthdays, catalogue, history

__all__ = ["birthdays", "catalogue", "history"]
