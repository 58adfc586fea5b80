"""When will a customer need this again? Plain functions on arrays; no clock, no database, no hidden input."""

from replenish.due import forecast, quantity_for
from replenish.model import Model, fit
from replenish.types import HORIZONS, Forecasts, Purchases

__all__ = ["HORIZONS", "Forecasts", "Model", "Purchases", "fit", "forecast", "quantity_for"]
