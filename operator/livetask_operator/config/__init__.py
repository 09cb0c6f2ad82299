"""The operator's settings: what they are, and how they are read from a YAML file.

Apart from all that uses them, so that `livetask-operator check` needs no cluster to say what is wrong with a file.
"""

from livetask_operator.config.file import ConfigError, load, parse
from livetask_operator.config.settings import AccountGroup, Config, Endpoints, StatusCall, Stops, describe

__all__ = ["AccountGroup", "Config", "ConfigError", "Endpoints", "StatusCall", "Stops", "describe", "load", "parse"]
