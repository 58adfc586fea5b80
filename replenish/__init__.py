"""When will a customer need this again? Plain functions on arrays; no clock, no database, no hidden input."""

import os

# Read when numpy is loaded. The products of small matrices worked out here leave no room for a second thread: it would
# wait, and take as much of the processor for it. Shards of customers are what is spread over processors.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from replenish.due import forecast, quantity_for
from replenish.learning import fit
from replenish.model import KINDS, Model, dump, load
from replenish.types import HORIZONS, Forecasts, Purchases

__all__ = ["HORIZONS", "KINDS", "Forecasts", "Model", "Purchases", "dump", "fit", "forecast", "load", "quantity_for"]
