"""When will a customer need this again? Plain functions on arrays; no clock, no database, no hidden input."""

from replenish.due import forecast, quantity_for
from replenish.learning import fit
from replenish.model import KINDS, Model, dump, load
from replenish.types import HORIZONS, Forecasts, Purchases

__all__ = ["HORIZONS", "KINDS", "Forecasts", "Model", "Purchases", "dump", "fit", "forecast", "load", "quantity_for"]
