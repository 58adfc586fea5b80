"""Forecasts compared with what happened: a sample kept every night, judged as time passes, summed up for a year.

The web process reads the sums, so nothing here needs the engine or its arrays.
"""

from mylist.checks.judging import HORIZONS, judge
from mylist.checks.keeping import keep
from mylist.checks.reading import Choice, Offered, Quality, offered, quality, waiting

__all__ = ["HORIZONS", "Choice", "Offered", "Quality", "judge", "keep", "offered", "quality", "waiting"]
